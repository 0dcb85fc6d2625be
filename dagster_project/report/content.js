/* Generates the sentences, tables and charts of a view for a choice of area, year and victim group, as text. content.py runs
   it for the published pages and the PDF, report.js when a reader makes a choice. The rules for messages were applied before:
   each figure has the numbers of its messages. A page about several indicators contains the data of each, and requests the
   view of one. */
"use strict";
const content = (data, chosen) => {
  const { years, words, write } = data;
  const INK = "#1a1a1a", MUTED = "#595959", PALE = "#e4e4e4", CHOSEN = "#0b4f8a", WASH = "#c9dcee";
  const PCT_TOPS = [4, 8, 12, 20, 24, 32, 40, 60, 80, 100];
  const DAY_TOPS = [100, 200, 400, 600, 800, 1200, 1600, 2400, 4000, 8000, 20000];
  // Width of a drawing in pixels: beside the text and on a phone.
  const WIDE = 620, NARROW = 358;
  const names = new Map(data.places);
  // Names that are words, such as those of the country and the unknown place, are in lower case inside a sentence.
  const inside = (place) => {
    const name = names.get(place);
    return place.endsWith("/okand") || (place === "riket/SE" && words.country_is_a_word) ? name[0].toLowerCase() + name.slice(1) : name;
  };
  const joined = (list) => [...(list.length > 1 ? [list.slice(0, -1).join(", ")] : []), ...list.slice(-1)].join(` ${words.and} `);
  // A county or municipality shows the detailed figures of its police region.
  const wides = new Map(data.places.map(([place, , wide]) => [place, wide ?? place]));
  const level = chosen.place.split("/")[0], wide = wides.get(chosen.place);
  const chosen_group = chosen.group === "total" ? "" : words.group[chosen.group];

  // --- words and numbers -------------------------------------------------------------------------------------------
  const count = (n) => (n < 0 ? write.minus : "") + String(Math.abs(n)).replace(/\B(?=(\d{3})+$)/g, write.thousands);
  const tenths = (n) =>
    (n < 0 ? write.minus : "") + count(Math.floor(Math.abs(n) / 10)) + write.decimal + (Math.abs(n) % 10);
  const forms = { n: count, t: tenths, a: (n) => tenths(Math.abs(n)), d: (n) => (n > 0 ? "+" : "") + tenths(n) };
  const fill = (template, values) =>
    template.replace(/\{(\w+)(?::(\w))?\}/g, (_, name, form) => (form ? forms[form](values[name]) : values[name]));
  const word = (key) => key.split(".").reduce((found, part) => found[part], words);

  // --- figures -----------------------------------------------------------------------------------------------------
  const common = (table, year) => {
    const [country, region_median, county_median, ...edges] = table[years.indexOf(year)];
    const [lowest, highest] = level === "lan" ? edges.slice(2) : edges;
    return { country, region_median, county_median: level === "lan" ? county_median : null, lowest, highest };
  };
  // In tenths of a per cent, half up.
  const share = (part, whole) => Math.floor((2000 * part + whole) / (2 * whole));
  const figure = (place, group, year) => {
    const cell = data.cells[`${place}/${group}`]?.[years.indexOf(year)];
    if (!cell) return null;
    const [note, verdict, messages] = data.messages[cell.at(-1)];
    const found = { year, place, note, verdict, messages, pct: null, low: null, high: null, ...common(data.common[group], year) };
    for (const name of [...data.fields.flat(), "processed", "cleared", "investigated", "prosecution", "significant"]) found[name] ??= null;
    if (cell[0] === "s") found.why = "withheld";
    else if (cell.length === 2) {
      Object.assign(found, { processed: 0, cleared: 0, investigated: 0, limited_investigated: 0, why: "none" });
    } else {
      const fields = data.fields.find((one) => one.length === cell.length - 2);
      fields.forEach((name, number) => { found[name] = cell[number]; });
      if (fields === data.fields[0]) {
        found.cleared = found.cleared_indictment + found.cleared_penalty_order + found.cleared_waiver;
        found.investigated = found.cleared + found.limited_investigated + found.other_investigated;
        found.processed = found.investigated + found.limited_dismissed + found.other_dismissed;
        const ended = found.investigated - found.limited_investigated;
        found.prosecution = ended ? share(found.cleared, ended) : null;
      }
      found.pct = share(found.cleared, found.processed);
      const digit = (n) => Math.floor(cell.at(-2) / 3 ** n) % 3;
      found.significant = [false, true, null][digit(0)];
      found.shifts = [1, 2, 3, 4].map((n) => digit(n) - 1);
    }
    found.small = found.note.includes("small");
    found.country_small = data.messages[data.cells[`riket/SE/${group}`][years.indexOf(year)].at(-1)][0].includes("small");
    return found;
  };
  const byYear = (place, group) => years.map((year) => figure(place, group, year)).filter(Boolean);
  const LEVELS = ["riket", "polisregion", "lan"];
  const isUnknown = (place) => place.endsWith("/okand");
  const placesOf = (wanted) => data.places.map(([place]) => place).filter((place) => place.startsWith(`${wanted}/`));
  // Places side by side: by level, with a chosen municipality, the unknown last.
  const levelsOf = (keeps) => {
    const levels = [...LEVELS.map(placesOf), level === "kommun" ? [chosen.place] : []].map((places) => places.filter(keeps));
    return [...levels.map((places) => places.filter((place) => !isUnknown(place))), levels.flat().filter(isUnknown)];
  };
  // Lists in one line the places found at these levels.
  const named = (key, found, levels) => {
    const list = levels.flatMap((places) => {
      const of = places.filter((place) => found.includes(place));
      return of.length > 1 && of.length === places.length ? [words.every[of[0].split("/")[0]]] : of.map(inside);
    });
    return list.length ? [fill(words.summaries[key], { list: joined(list) })] : [];
  };
  // Regions and counties by their share. Those without a share are only named, except the chosen one.
  const ranked = () => {
    const of = (place) => figure(place, chosen.group, chosen.year);
    const levels = levelsOf(of).map((places) => places.map(of).sort((a, b) => (a.pct === null) - (b.pct === null) || b.pct - a.pct));
    const rows = levels.flat();
    return {
      rows: rows.filter((row) => row.pct !== null || row.place === chosen.place),
      missing: ["withheld", "none"].flatMap((why) =>
        named(why, rows.filter((row) => row.why === why).map((row) => row.place), levels.map((of) => of.map((row) => row.place)))),
    };
  };
  // All years of a place, darker where the share is higher.
  const drawHeat = (narrow) => {
    const levels = levelsOf((place) => figure(place, chosen.group, years[0]));
    const shown = levels.flat().filter((place) => place === chosen.place || byYear(place, chosen.group).some((row) => row.pct !== null));
    const all = shown.flatMap((place) => byYear(place, chosen.group)).filter((row) => row.pct !== null && !row.small);
    const least = Math.min(...all.map((row) => row.pct)), most = Math.max(least + 1, ...all.map((row) => row.pct));
    const cell = (row) => {
      // From white to a blue on which dark text can be read.
      const shade = row.pct === null || row.small ? "" : [255, 255, 255].map((white, n) => Math.round(white + (([106, 165, 216][n] - white) * (row.pct - least)) / (most - least))).join(",");
      const text = row.pct === null ? words[`gap_${row.why}`] : tenths(row.pct);
      return put("td", { ...(data.cuts.includes(row.year) ? { class: "cut" } : {}), ...(shade ? { style: `background:rgb(${shade})` } : {}) }, row.small ? `<i>${text}</i>` : text);
    };
    const lines = shown.map((place) => {
      const name = put("th", { scope: "row", ...(narrow ? { colspan: years.length } : {}) }, safe(names.get(place)));
      return `<tr${place === chosen.place ? " data-chosen" : ""}>${name}${narrow ? "</tr><tr>" : ""}${byYear(place, chosen.group).map(cell).join("")}</tr>`;
    });
    const head = years.map((year) => put("th", { scope: "col" }, narrow ? `’${String(year).slice(2)}` : String(year))).join("");
    return `<table class="heat ${narrow ? "narrow" : "wide"}"><caption>${safe(words.charts.heat + (chosen_group && `: ${chosen_group}`))}</caption>`
      + `<thead><tr>${narrow ? "" : "<td></td>"}${head}</tr></thead><tbody>${lines.join("")}</tbody></table>`
      + (narrow ? named("withheld", levels.flat().filter((place) => !shown.includes(place)), levels).map((line) => put("p", { class: "hint" }, safe(line))).join("") : "");
  };

  // --- tables ------------------------------------------------------------------------------------------------------
  const KINDS = { year: "year", significant: "yes_no" };
  for (const name of ["processed", "cleared", "investigated", "limited_investigated", "offences", "p25", "median", "p75", "p90"]) KINDS[name] = "count";
  for (const name of ["group", "place", "level", "note", "stage", "outcome", "reading"]) KINDS[name] = "words";
  const kind = (column) => KINDS[column] ?? "tenths";
  const text = (column, value) => {
    if (value === null || value === undefined) return words.not_applicable;
    if (kind(column) === "count") return count(value);
    if (kind(column) === "tenths") return tenths(value);
    return kind(column) === "yes_no" ? (value ? words.said_yes : words.said_no) : String(value);
  };
  const plain = (column, value) => {
    if (value === null || value === undefined) return "";
    if (kind(column) !== "tenths") return kind(column) === "count" ? String(value) : text(column, value);
    return (value < 0 ? "-" : "") + Math.floor(Math.abs(value) / 10) + write.decimal + (Math.abs(value) % 10);
  };
  // Notes shared by all figures of a year are omitted from tables of one year.
  const own = (row) => ({ ...row, note: row.note.replace(/notes\.(break|mixed|worked_off)/, "").trim() });
  const noted = (keys) => keys.split(" ").filter(Boolean).map(word).join(", ");
  const pick = (row, columns) => columns.map((name) => (name === "note" ? noted(row.note) : row[name]));
  const makers = {
    trend: () => {
      const columns = ["year", "processed", "cleared", "pct", "low", "high", "change", "significant", "country",
        "region_median", ...(level === "lan" ? ["county_median"] : []), "lowest", "highest", "note"];
      return [columns, byYear(chosen.place, chosen.group).map((row) => pick(row, columns))];
    },
    groups: () => {
      const columns = ["processed", "cleared", "pct", "low", "high", "note"];
      const rows = data.groups.map((group) => [group, figure(wide, group, chosen.year)]);
      return [["group", ...columns],
        rows.filter(([, row]) => row).map(([group, row]) => [words.group[group], ...pick(own(row), columns)])];
    },
    ranking: () => {
      const columns = ["processed", "cleared", "pct", "low", "high", "note"];
      return [["place", "level", ...columns], ranked().rows.map((row) =>
        [names.get(row.place), words.place_kinds[row.place.split("/")[0]], ...pick(own(row), columns)])];
    },
    measures: () => {
      const columns = ["year", "processed", "investigated", "limited_investigated", "cleared", "pct", "prosecution", "note"];
      return [columns, byYear(wide, chosen.group).map((row) => pick(row, columns))];
    },
    flow: () => {
      const stages = data.flow[wide]?.[years.indexOf(chosen.year)] ?? [];
      return [["stage", "offences", "share"], stages.map((row, n) => [words.stages[data.stages[n]], ...row])];
    },
    outcomes: () => {
      const row = figure(wide, chosen.group, chosen.year);
      const columns = ["outcome", "offences", "share_of_processed"];
      if (!row || row.pct === null) return [columns, []];
      return [columns, Object.keys(words.outcomes).map((name) =>
        [words.outcomes[name], row[name], share(row[name], row.processed)])];
    },
    time: () => {
      const found = (data.times[wide] ?? []).flatMap((outcomes, n) =>
        ["cleared", "not_cleared", "all"].map((name, m) => outcomes[m] && [years[n], words.time_outcomes[name], ...outcomes[m]]));
      return [["year", "outcome", "offences", "p25", "median", "p75", "p90"],
        found.filter(Boolean).sort((a, b) => b[0] - a[0])];
    },
    ...(data.readings?.length > 1 ? { readings: () => [["reading", "processed", "cleared", "pct"], data.readings] } : {}),
  };
  // The parts of the choice that each table shows.
  const about = (name) => {
    if (name === "readings") return { place: "riket/SE", year: years.at(-1), group: "" };
    const detailed = ["groups", "measures", "flow", "outcomes", "time"].includes(name);
    return {
      place: name === "ranking" ? "" : detailed ? wide : chosen.place,
      year: ["trend", "measures", "time"].includes(name) ? "" : chosen.year,
      group: ["groups", "flow", "time"].includes(name) ? "" : chosen_group,
    };
  };
  const csv = (columns, rows, mark) => [columns.map((column) => words.columns[column]),
    ...rows.map((row) => row.map((value, n) => plain(columns[n], value)))]
    .map((row) => row.map((value) => (mark !== "\t" && /[",;\n]/.test(value) ? `"${value.replace(/"/g, '""')}"` : value)).join(mark));
  const missing = (place) => words[/^(lan|kommun)\//.test(place) && chosen_group ? "not_published_group" : "not_published"];
  const table = (name) => {
    const [columns, rows] = makers[name]();
    const { place, year, group } = about(name);
    const file = [data.page, name, (place || chosen.place).replace("/", "-"), year || chosen.year,
      ...(chosen.group === "total" || name === "readings" ? [] : [chosen.group])].join("-");
    return {
      columns, rows, kinds: columns.map(kind), text: rows.map((row) => row.map((value, n) => text(columns[n], value))),
      head: columns.map((column) => words.columns[column]),
      unknown: rows.map((row) => columns[0] === "place" && row[0] === names.get("lan/okand")),
      chosen: rows.map((row) => (columns[0] === "year" && row[0] === chosen.year) || (columns[0] === "place" && row[0] === names.get(chosen.place))),
      caption: [words.charts[name], place && `: ${names.get(place)}`, year && ` ${year}`, group && `, ${group}`].join(""),
      file: `${file}.csv`, missing: missing(place),
      csv: "data:text/csv;charset=utf-8," + encodeURIComponent("\ufeff" + csv(columns, rows, write.decimal === "," ? ";" : ",").join("\r\n") + "\r\n"),
      copied: csv(columns, rows, "\t").join("\n"),
    };
  };

  // --- charts ------------------------------------------------------------------------------------------------------
  const safe = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  const put = (tag, attributes, inner = "") => {
    const set = Object.entries(attributes).map(([name, value]) =>
      ` ${name}="${typeof value === "number" ? Math.round(value * 10) / 10 : safe(value)}"`).join("");
    return `<${tag}${set}${inner ? `>${inner}</${tag}>` : "/>"}`;
  };
  const say = (x, y, text, more = {}) => put("text", { x, y, ...more }, safe(text));
  // A generous guess, so that no typeface cuts a label.
  const wideAs = (text, bold = false) => 8 + String(text).length * (bold ? 9 : 7.9);
  const widest = (marks) => Math.max(0, ...marks.map((mark) => wideAs(mark.label, mark.bold)));
  const topFor = (tops, values) => {
    const most = Math.max(0, ...values.filter((value) => value !== null && value !== undefined));
    return tops.find((top) => top >= most) ?? most;
  };
  // A drawing with links is not an image, and screen readers read only the links.
  const frame = (label, width, height, inner, links = "") => put("svg", {
    class: `chart${{ [WIDE]: " wide", [NARROW]: " narrow" }[width] ?? ""}`, viewBox: `0 0 ${width} ${Math.ceil(height)}`, width, height: Math.ceil(height), role: links ? "group" : "img", "aria-label": label,
    "font-size": "13", fill: INK,
  }, links ? `<g aria-hidden="true">${inner}</g>${links}` : inner);
  const segments = (points, cuts) => {
    const found = [];
    let before = null;
    for (const point of points) {
      if (point.value === null) continue;
      if (before !== point.year - 1 || cuts.includes(point.year)) found.push([]);
      found.at(-1).push(point);
      before = point.year;
    }
    return found;
  };
  const LOOKS = { country: [INK, 1.5, "none"], median: [MUTED, 1.5, "5 3"], dotted: [MUTED, 1.5, "1.5 3"], second: [MUTED, 2, "6 2"], chosen: [CHOSEN, 2.5, "none"] };
  const stroke = (style) => ({ stroke: LOOKS[style][0], "stroke-width": LOOKS[style][1], "stroke-dasharray": LOOKS[style][2] });
  // Side by side, as many in a row as the width holds.
  const legendOf = (entries, width) => {
    let x = 0, row = 0;
    return entries.map((entry) => {
      const wide = 36 + 7.2 * entry.label.length;
      if (x && x + wide > width) [x, row] = [0, row + 1];
      x += wide;
      return { ...entry, x: x - wide, row };
    });
  };
  const BAND = { fill: WASH, opacity: "0.8" }, SPREAD = { fill: "#ddd", opacity: "0.6" };
  // Shares by year. Lines are labelled at their ends or, in a narrow chart, above; `scaled` are all lines on the same scale.
  const drawLines = (label, lines, { width, height, spread = [], fields = [], breaks = [], cuts = data.cuts, named = false, scaled = lines }) => {
    const narrow = width <= NARROW, tiny = height < 100;
    const legend = legendOf([...(named && narrow ? lines : []), ...fields], width);
    const left = 30, above = (breaks.length ? 26 : 10) + 18 * ((legend.at(-1)?.row ?? -1) + 1);
    const w = width - left - (named && !narrow ? Math.max(...lines.map((line) => wideAs(line.label))) + 4 : 8);
    const from = years[0] - 0.5, yearly = w / (years.at(-1) - from + 0.5);
    const top = topFor(PCT_TOPS, [...scaled.flatMap((line) => line.points.flatMap((p) => [p.value, p.high])), ...spread.map((s) => s[2])]);
    const x = (year) => left + yearly * (year - from), y = (value) => above + height * (1 - value / top);
    const out = [];
    for (const [year, mixed] of breaks) {
      if (mixed) out.push(put("rect", { x: x(year - 0.5), y: above, width: yearly, height, fill: "#f1f1f1" }));
    }
    for (const value of tiny ? [0, top] : [0, 1, 2, 3, 4].map((n) => (top * n) / 4)) {
      out.push(put("line", { x1: left, x2: left + w, y1: y(value), y2: y(value), stroke: PALE }));
      out.push(say(left - 5, y(value) + 4, value, { "text-anchor": "end", "font-size": "12", fill: MUTED }));
    }
    let step = 1;
    while ((years.length / step) * 38 > w) step += 1;
    years.forEach((year, n) => {
      if ((years.length - 1 - n) % step === 0) out.push(say(x(year), above + height + 17, year, { "text-anchor": "middle", "font-size": "12", fill: MUTED }));
    });
    for (const cut of cuts) {
      if (cut > years[0]) out.push(put("line", { x1: x(cut - 0.5), x2: x(cut - 0.5), y1: above, y2: above + height, stroke: MUTED, "stroke-dasharray": "3 3" }));
    }
    for (const [year, low, high] of spread) {
      out.push(put("rect", { x: x(year - 0.5), width: yearly, y: y(high), height: y(low) - y(high), ...SPREAD }));
    }
    for (const piece of lines.filter((line) => line.style === "chosen").flatMap((line) => segments(line.points, cuts))) {
      const banded = piece.filter((p) => p.low !== null);
      const edge = (name) => banded.map((p) => `${Math.round(x(p.year))},${Math.round(10 * y(p[name])) / 10}`);
      if (banded.length > 1) out.push(put("polygon", { points: [...edge("high"), ...edge("low").reverse()].join(" "), ...BAND }));
      for (const p of banded) out.push(put("line", { x1: x(p.year), x2: x(p.year), y1: y(p.low), y2: y(p.high), stroke: CHOSEN, opacity: "0.5" }));
    }
    const ends = [];
    for (const { style, label: name, points } of lines) {
      const colour = LOOKS[style][0];
      for (const piece of segments(points, cuts)) {
        if (piece.length > 1) out.push(put("polyline", { points: piece.map((p) => `${Math.round(10 * x(p.year)) / 10},${Math.round(10 * y(p.value)) / 10}`).join(" "), fill: "none", ...stroke(style) }));
        for (const p of piece) {
          const cx = x(p.year), cy = y(p.value);
          const look = { fill: p.small ? "#fff" : colour, stroke: colour, "stroke-width": "1.5" };
          const tip = `<title>${p.year}: ${tenths(Math.round(p.value * 10))}${write.percent}${p.low === null ? "" : ` (${tenths(Math.round(p.low * 10))}–${tenths(Math.round(p.high * 10))})`}</title>`;
          if (style === "chosen") out.push(put("circle", { cx, cy, r: tiny ? 3 : 3.8, ...look }, tip));
          else if (style === "second") out.push(put("rect", { x: cx - 3.3, y: cy - 3.3, width: 6.6, height: 6.6, ...look }, tip));
          else if (p.small) out.push(put("circle", { cx, cy, r: 2.5, ...look }));
          // A line of one year has no length, so it is shown as a dash.
          else if (piece.length === 1) out.push(put("line", { x1: cx - 4, x2: cx + 4, y1: cy, y2: cy, ...stroke(style), "stroke-dasharray": "none" }));
        }
      }
      if (style === "chosen" && !tiny) {
        for (const p of points.filter((point) => point.why)) {
          out.push(say(x(p.year), above + height - 4, words[`gap_${p.why}`], { "text-anchor": "middle", "font-size": "12", fill: MUTED }));
        }
      }
      const last = points.filter((p) => p.value !== null).pop();
      if (last && named && !narrow) ends.push({ at: y(last.value) - above, name, colour });
    }
    let lowest = -16;
    for (const end of ends.sort((a, b) => a.at - b.at)) {
      lowest = Math.max(end.at, lowest + 16);
      out.push(say(left + w + 6, above + lowest + 4, end.name, { fill: end.colour }));
    }
    for (const { style, look, label: name, x: at, row } of legend) {
      out.push(look ? put("rect", { x: at, y: 18 * row + 4, width: 20, height: 12, ...look })
        : put("line", { x1: at, x2: at + 20, y1: 18 * row + 10, y2: 18 * row + 10, ...stroke(style) }));
      out.push(say(at + 25, 18 * row + 14, name));
    }
    // All breaks of a year are one link, large enough for a finger.
    const letters = new Map();
    for (const [year, , letter] of breaks) letters.set(year, [...(letters.get(year) ?? []), letter]);
    const links = [...letters].map(([year, of]) => put("a", { href: `${data.at ?? ""}#break-${of[0]}`, "aria-label": `${words.breaks}: ${of.join(" ")}, ${year}` },
      put("rect", { x: x(year) - 12, y: above - 25, width: 24, height: 24, fill: "none", "pointer-events": "all" })
      + say(x(year), above - 8, of.join(" "), { "text-anchor": "middle", "text-decoration": "underline", fill: CHOSEN }))).join("");
    return frame(label, width, above + height + 24, out.join(""), links);
  };
  // Places or years in rows, in a narrow chart below their names; `reference` is a line through all rows.
  const drawDots = (label, width, marks, tops, reference) => {
    const narrow = width <= NARROW, ROW = narrow ? 36 : 19;
    const left = narrow ? 8 : widest(marks), right = Math.max(0, ...marks.map((mark) => wideAs(mark.text))) + 6, above = 22;
    const w = width - left - right, height = ROW * ((marks.at(-1)?.row ?? 0) + 1);
    const top = topFor(tops, marks.flatMap((mark) => [mark.value, mark.high, mark.far])) || tops[0];
    const x = (value) => left + (w * value) / top, out = [];
    for (const value of (w < 200 ? [0, 2, 4] : [0, 1, 2, 3, 4]).map((n) => (top * n) / 4)) {
      out.push(put("line", { x1: x(value), x2: x(value), y1: above, y2: above + height, stroke: PALE }));
      out.push(say(x(value), above - 7, value, { "text-anchor": "middle", "font-size": "12", fill: MUTED }));
    }
    if (reference !== null) out.push(put("line", { x1: x(reference), x2: x(reference), y1: above, y2: above + height, stroke: INK }));
    for (const mark of marks) {
      const at = above + ROW * (mark.row + (narrow ? 0.75 : 0.5)), colour = mark.bold ? CHOSEN : MUTED;
      const weight = mark.bold ? { "font-weight": "700" } : {};
      out.push(narrow ? say(0, at - 13, mark.label, { ...weight, stroke: "#fff", "stroke-width": "3", "paint-order": "stroke" }) : say(left - 8, at + 4, mark.label, { "text-anchor": "end", ...weight }));
      out.push(say(left + w + 10, at + 4, mark.text));
      if (mark.value === null) continue;
      const rule = (from, to, more) => put("line", { x1: x(from), x2: x(to), y1: at, y2: at, stroke: colour, ...more });
      if (mark.far !== undefined) out.push(rule(mark.high, mark.far, { stroke: MUTED }));
      out.push(rule(mark.low, mark.high, { opacity: "0.6", "stroke-width": mark.far === undefined ? "1.5" : "4" }));
      const look = { fill: mark.hollow ? "#fff" : colour, stroke: colour, "stroke-width": "1.5" }, cx = x(mark.value);
      out.push(mark.bold ? put("path", { d: `M${cx.toFixed(1)},${at - 5.5}l5.5,5.5l-5.5,5.5l-5.5,-5.5Z`, ...look }) : put("circle", { cx, cy: at, r: 3.8, ...look }));
    }
    return marks.length ? frame(label, width, above + height + 6, out.join("")) : "";
  };
  // Counts; in a narrow chart, each label is above its bar.
  const drawBars = (label, width, marks) => {
    const narrow = width <= NARROW, row = narrow ? 42 : 26, left = narrow ? 0 : widest(marks);
    const w = width - left - Math.max(0, ...marks.map((mark) => wideAs(mark.text))) - 6;
    const top = Math.max(1, ...marks.map((mark) => mark.value));
    const out = marks.flatMap((mark, n) => {
      const at = row * (n + 1) - 13, to = left + (w * mark.value) / top;
      return [
        put("rect", { x: left, width: to - left, y: at - 9, height: 18, fill: CHOSEN }),
        narrow ? say(0, at - 14, mark.label) : say(left - 8, at + 4, mark.label, { "text-anchor": "end" }),
        say(to + 6, at + 4, mark.text),
      ];
    });
    return marks.length ? frame(label, width, row * marks.length, out.join("")) : "";
  };
  const points = (rows, name = "pct") => rows.map((row) => {
    const edge = (one) => (name === "pct" && row[one] !== null ? row[one] / 10 : null);
    return { year: row.year, value: row[name] === null ? null : row[name] / 10, low: edge("low"), high: edge("high"),
      small: name === "country" ? row.country_small : !name.endsWith("median") && row.small,
      why: row[name] === null && ["pct", "prosecution"].includes(name) ? row.why ?? "none" : "" };
  });
  const line = (style, label, name, rows) => ({ style, label, points: points(rows, name) });
  // Each chart twice: beside the text and for a phone.
  const both = (draw) => [WIDE, NARROW].map(draw);
  const drawTrend = (label, { medians = true, height = 180 } = {}) => {
    const rows = byYear(chosen.place, chosen.group);
    const spread = rows.filter((row) => (row.lowest ?? null) !== null).map((row) => [row.year, row.lowest / 10, row.highest / 10]);
    const lines = [
      ...(medians ? [line("median", words.series.region_median, "region_median", rows)] : []),
      ...(medians && level === "lan" ? [line("dotted", words.series.county_median, "county_median", rows)] : []),
      ...(level === "riket" ? [] : [line("country", words.series.country, "country", rows)]),
      line("chosen", names.get(chosen.place), "pct", rows),
    ];
    const fields = [
      ...(rows.some((row) => row.low !== null) ? [{ look: BAND, label: words.series.interval }] : []),
      ...(spread.length ? [{ look: SPREAD, label: words.series[level === "lan" ? "county_spread" : "region_spread"] }] : []),
    ];
    return both((width) => drawLines(label, lines, { width, height: width === NARROW ? height : 230, spread, fields, breaks: data.breaks, named: true }));
  };
  const charts = (tables) => {
    const title = (name) => tables[name].caption, breaks = data.breaks;
    const of_wide = byYear(wide, chosen.group);
    const measures = [line("second", words.series.prosecution, "prosecution", of_wide), line("chosen", words.series.clearance, "pct", of_wide)];
    const panels = data.groups.filter((group) => group !== "total" && group !== "okand").map((group) => {
      const of = byYear(wide, group);
      return [group, [line("country", "", "country", of), line("chosen", "", "pct", of)]];
    });
    const scaled = panels.flatMap(([, lines]) => lines);
    const spaced = (key, gap, list) => {
      let row = 0, before = null;
      return list.map((mark) => {
        row += before === null || mark[key] === before ? 0 : gap;
        before = mark[key];
        return { ...mark, row: row++ };
      });
    };
    const places = spaced("level", 0.6, ranked().rows.map((one) => ({
      level: isUnknown(one.place) ? "" : one.place.split("/")[0], label: names.get(one.place), value: one.pct === null ? null : one.pct / 10, low: one.low / 10, high: one.high / 10,
      text: one.pct === null ? words[`${one.why}_short`] : tenths(one.pct), bold: one.place === chosen.place, hollow: one.small,
    })));
    const times = spaced("year", 0.4, tables.time.rows.filter((one) => one[1] !== words.time_outcomes.all).map(([year, outcome, offences, p25, median, p75, p90]) => {
      const cleared = outcome === words.time_outcomes.cleared;
      const label = `${year} ${words.series[cleared ? "cleared" : "not_cleared"]}`;
      return median === null ? { year, label, value: null, text: words.none_short } : { year, label, value: median, low: p25, high: p75, far: p90,
        text: `${count(median)} ${words.days}`, bold: cleared, hollow: offences < data.small_number };
    }));
    const readings = (tables.readings?.rows ?? []).map(([label, , , pct]) =>
      ({ label, value: (pct ?? 0) / 10, text: pct === null ? words.none_short : tenths(pct) + write.percent }));
    const bars = (name) => tables[name].rows.map(([label, value, part]) =>
      ({ label, value, text: count(value) + (part === null ? "" : ` (${tenths(part)}${write.percent})`) }));
    return {
      trend: drawTrend(title("trend")),
      ...Object.fromEntries(panels.map(([group, lines]) =>
        [`group-${group}`, [drawLines(`${words.group[group]}, ${title("groups")}`, lines, { width: 290, height: 140, scaled })]])),
      ranking: both((width) => drawDots(title("ranking"), width, places, PCT_TOPS, places[0]?.value ?? null)),
      heat: [false, true].map(drawHeat),
      measures: both((width) => drawLines(title("measures"), measures, { width, height: 230, breaks, named: true })),
      flow: both((width) => drawBars(title("flow"), width, bars("flow"))),
      outcomes: both((width) => drawBars(title("outcomes"), width, bars("outcomes"))),
      ...(tables.readings ? { readings: both((width) => drawBars(title("readings"), width, readings)) } : {}),
      time: both((width) => drawDots(title("time"), width, times, DAY_TOPS, null)),
    };
  };

  // --- views -------------------------------------------------------------------------------------------------------
  // A figure with all data of its sentences.
  const valuesOf = (row) => {
    const pctIn = (year) => figure(chosen.place, chosen.group, Math.min(Math.max(year, years[0]), years.at(-1)))?.pct ?? null;
    const values = { ...row, previous: row.year - 1, first: data.first, changed: data.changed[row.year],
      previous_pct: pctIn(row.year - 1), first_pct: pctIn(data.first) };
    if (row.shifts) {
      ["since", "to_country", "to_region_median", "to_county_median"].forEach((name, n) => {
        values[name] = row.pct - (n ? row[name.slice(3)] : values.first_pct) + row.shifts[n];
      });
    }
    return values;
  };
  const sentences = (row, texts = words.messages) => row.messages.filter((name) => texts[name]).map((name) => fill(texts[name], valuesOf(row)));
  const chosenFigure = () => figure(chosen.place, chosen.group, chosen.year);
  // Wider places, with their names, that show figures missing for a place.
  const widerThan = (place) => [...new Set([wides.get(place), "riket/SE"])].filter((one) => one !== place).map((one) => [one, inside(one)]);
  const indicator = () => {
    const row = chosenFigure(), values = row && valuesOf(row), shown = row && row.why !== "withheld";
    const formula = (key, none, known) => (known ? fill(words[key], values) : words[none]);
    const tables = Object.fromEntries(Object.keys(makers).map((name) => [name, table(name)]));
    return {
      says: row ? sentences(row) : [missing(chosen.place)],
      // A figure that is not shown is not a finding; the text refers to wider places that have one.
      quiet: !shown, wider: shown ? [] : widerThan(chosen.place),
      formulas: [
        formula("formula_text", "formula_none", row && row.pct !== null),
        ...(wide === chosen.place ? [formula("formula_prosecution", "formula_prosecution_none", row && row.prosecution !== null)] : []),
      ],
      of_region: wide === chosen.place ? "" : fill(words.of_region, { region: names.get(wide) }),
      notes: Object.fromEntries(Object.entries(words.chart_notes).map(([name, note]) =>
        [name, fill(note, { spread: words.spread[level === "lan" ? "lan" : "polisregion"], year: years.at(-1) })])),
      missing: ranked().missing,
      tables,
      charts: charts(tables),
    };
  };
  const card = () => {
    const row = chosenFigure(), values = row && valuesOf(row), known = row && row.pct !== null;
    const facts = known || row?.why === "none" ? ["change", "since", "country", "region_median", "county_median"].filter((fact) =>
      (fact === "since" ? row.messages.some((name) => name.startsWith("since")) : row[fact] !== null) && (fact !== "country" || level !== "riket"))
      .map((fact) => fill(words.card[fact === "country" && row.country_small ? "country_small" : fact], values)) : [];
    const state = known ? (row.small ? "small" : "") : row ? row.why : "absent";
    const leading = known ? [fill(words.card.level, values), fill(words.card.counts, values)] : [words.card[state], ""];
    // For few offences, the count is more informative than the share.
    const [first, second] = state === "small" ? leading.reverse() : leading;
    const rows = byYear(chosen.place, chosen.group).map((one) => ({ ...one, low: null, high: null }));
    const lines = [...(level === "riket" ? [] : [line("country", "", "country", rows)]), line("chosen", "", "pct", rows)];
    return { number: data.number, name: data.name, state, verdict: known ? row.verdict : "", level: first, counts: second, facts,
      processed: row?.processed ?? 0, chart: drawLines(`${data.name}: ${first}. ${facts.join(". ")}`, lines, { width: 230, height: 62 }) };
  };
  // How much, better than before, better than others.
  const headline = () => {
    const row = chosenFigure();
    const range = level === "riket" && row.lowest !== null ? [fill(words.brief.range, row)] : [];
    return {
      title: fill(words.headline, { name: data.name, place: names.get(chosen.place), year: chosen.year }),
      says: [...sentences(row, words.brief), ...range],
      chart: drawTrend(`${data.name}. ${words.charts.trend}: ${names.get(chosen.place)}`, { medians: false, height: 130 }),
    };
  };
  // A view of one indicator or measure of several.
  const of = (id, view, place = chosen.place) =>
    ({ id, ...content({ ...data, ...data.indicators[id], view, at: `${data.home}${id}.html` }, { ...chosen, place }) });
  const overview = () => {
    // A chosen municipality is kept in links, but its county is shown.
    const place = level === "kommun" ? wide : chosen.place;
    const cards = Object.keys(data.indicators).map((id) => of(id, "card", place));
    const largest = cards.reduce((most, one) => (one.processed > most.processed ? one : most));
    const values = { place: names.get(place), year: chosen.year, previous: chosen.year - 1 };
    const add = (key, test) => {
      const list = cards.filter(test).map((one) => one.name).join(", ");
      return list ? [fill(words.summaries[key], { ...values, list })] : [];
    };
    const is = (...verdicts) => cards.some((one) => verdicts.includes(one.verdict));
    const summary = [];
    if (chosen.year === years[0]) summary.push(fill(words.summaries.no_previous, values));
    else {
      for (const one of Object.keys(words.verdicts)) summary.push(...add(one, (found) => found.verdict === one));
      if (is("rise", "fall")) summary.push(words.summaries.chance);
    }
    const withheld = cards.filter((one) => one.state === "withheld");
    for (const one of ["small", "none"]) summary.push(...add(one, (found) => found.state === one));
    return {
      shown_place: place,
      of_county: place === chosen.place ? "" : fill(words.of_county, { county: values.place, municipality: names.get(chosen.place) }),
      // Withheld figures have no card; they are listed in one line.
      cards, summary, withheld,
      // Where most are withheld, places that have all figures.
      wider: 2 * withheld.length > cards.length ? widerThan(place) : [],
      headline: largest.processed ? of(largest.id, "headline", place)
        : { id: "", title: `${values.place} ${values.year}`, says: [fill(words.headline_none, { ...values, place: inside(place) })], chart: [] },
    };
  };
  // Figures that follow commitments: of the narrowest place that has them, and of the country.
  const commitments = () => {
    const areas = [...new Set([wide, "riket/SE"])], page = words.commitments_page;
    const cell = (form, value, small = false) => {
      const text = (value ?? null) === null ? words.not_applicable : forms[form](value);
      return put("td", {}, small ? `<i>${text}</i>` : text);
    };
    const clearance = (id, area) => {
      const row = of(id, "row", area);
      return cell("n", row.processed) + cell("n", row.cleared) + cell("t", row.pct, row.small) + cell("d", row.change);
    };
    const counts = (table, id, area) => data[table][id][area]?.[years.indexOf(chosen.year)] ?? [];
    const suspicions = (id, area) => counts("suspicions", id, area).map((number) => cell("n", number)).join("") || cell("n").repeat(2);
    const soon = (id, area) => {
      const [offences, within] = counts("soon", id, area);
      return cell("n", offences) + cell("n", within) + cell("t", offences ? share(within, offences) : null, offences && offences < data.small_number);
    };
    const became = (cohort) => (id, area) => {
      const [reported, decided, cleared] = cohort[`${id}/${area}`] ?? [];
      const shares = [decided, cleared].map((part) =>
        cell("t", reported ? share(part, reported) : null, reported && reported < data.small_number));
      return cell("n", reported) + shares.join("");
    };
    const draw = (caption, columns, ids, cells, head_of = (area) => `${area} ${chosen.year}`) => {
      const head = columns.map((column) => put("th", { scope: "col" }, safe(words.columns[column]))).join("");
      const wider = areas.map((area) => put("th", { scope: "colgroup", colspan: columns.length }, safe(head_of(names.get(area)))));
      // On a phone, each cell has its own label.
      const labelled = (row, area) => columns.reduce((text, column) =>
        text.replace("<td>", `<td data-label="${safe(`${head_of(names.get(area))}, ${words.columns[column]}`)}">`), row);
      const rows = ids.map((id) => put("tr", { "data-indicator": id },
        put("th", { scope: "row" }, safe(data.names[id])) + areas.map((area) => labelled(cells(id, area), area)).join("")));
      return `<table class="areas"><caption class="sr">${safe(caption)}</caption><thead><tr><th scope="col" rowspan="2">${safe(page.measure)}</th>`
        + `${wider.join("")}</tr><tr>${head.repeat(areas.length)}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
    };
    return {
      shown_place: wide,
      of_place: fill(wide === "riket/SE" ? page.of_country : page.of_place, { place: names.get(wide), year: chosen.year }),
      cards: Object.keys(data.indicators).map((id) => of(id, "card", wide)),
      tables: {
        ...Object.fromEntries(data.followed.flatMap(({ what, measures, suspicions: suspected }, n) => [
          [`measures-${n}`, draw(`${page.measures}: ${what}`, ["processed", "cleared", "pct", "change"], measures, clearance)],
          [`suspicions-${n}`, draw(`${page.suspicions}: ${what}`, ["suspicions", "prosecuted"], suspected, suspicions)],
        ])),
        // The year of a cohort does not follow the choice.
        ...Object.fromEntries(data.cohorts.map(([year, cohort]) => [`reported-${year}`,
          draw(fill(page.reported_in, { year }), ["reported", "decided_pct", "cleared_pct"], Object.keys(data.names), became(cohort), (area) => fill(page.cohort, { year, area }))])),
        soon: draw(page.within_90, ["offences", "within_90", "within_90_pct"], Object.keys(data.names), soon),
      },
    };
  };
  return { indicator, card, headline, row: chosenFigure, overview, commitments }[data.view]();
};
