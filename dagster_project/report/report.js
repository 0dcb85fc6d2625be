/* Choosing, sorting, copying and hovering. The rules for messages were applied when the page was written: each figure
   carries the numbers of its messages. Pictures are redrawn into their frames, by the measures in their data- attributes. */
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const { years, words, write } = data;
  const INK = "#1a1a1a", MUTED = "#595959", CHOSEN = "#0b4f8a", WASH = "#c9dcee", ROW = 18;
  const PCT_TOPS = [4, 8, 12, 20, 40, 60, 80, 100];
  const DAY_TOPS = [100, 200, 400, 600, 800, 1200, 1600, 2400, 4000, 8000, 20000];
  const names = new Map(data.places);
  // A county or municipality shows the detailed figures of its police region.
  const wides = new Map(data.places.map(([place, , wide]) => [place, wide ?? place]));
  const DETAILED = ["groups", "measures", "flow", "outcomes", "time"];
  const byId = (id) => document.getElementById(id);
  const all = (selector) => [...document.querySelectorAll(selector)];
  let chosen = { place: data.choice[0], year: data.choice[1], group: data.choice[2] };

  // --- words and numbers -------------------------------------------------------------------------------------------
  const count = (n) => (n < 0 ? write.minus : "") + String(Math.abs(n)).replace(/\B(?=(\d{3})+$)/g, write.thousands);
  const tenths = (n) =>
    (n < 0 ? write.minus : "") + count(Math.floor(Math.abs(n) / 10)) + write.decimal + (Math.abs(n) % 10);
  const forms = { n: count, t: tenths, a: (n) => tenths(Math.abs(n)), d: (n) => (n > 0 ? "+" : "") + tenths(n) };
  const fill = (template, values) =>
    template.replace(/\{(\w+)(?::(\w))?\}/g, (_, name, form) => (form ? forms[form](values[name]) : values[name]));
  const title = document.title.split(" – ")[0];
  const word = (key) => key.split(".").reduce((found, part) => found[part], words);
  const level = () => chosen.place.split("/")[0];
  const wide = () => wides.get(chosen.place);

  // --- figures -----------------------------------------------------------------------------------------------------
  const common = (table, year) => {
    const [country, region_median, county_median, ...edges] = table[years.indexOf(year)];
    const [lowest, highest] = level() === "lan" ? edges.slice(2) : edges;
    return { country, region_median, county_median: level() === "lan" ? county_median : null, lowest, highest };
  };
  // In tenths of a per cent, half up.
  const share = (part, whole) => Math.floor((2000 * part + whole) / (2 * whole));
  const figure = (place, group, year) => {
    const cells = data.cells[`${place}/${group}`];
    if (!cells) return null;
    const cell = cells[years.indexOf(year)];
    const [note, messages] = data.messages[cell.at(-1)];
    const found = { year, place, note, messages, pct: null, low: null, high: null,
      ...common(data.common[group], year) };
    for (const name of [...data.fields.flat(), "processed", "cleared", "investigated", "prosecution", "significant"]) found[name] ??= null;
    if (cell[0] === "s") found.why = words.withheld_short;
    else if (cell.length === 2) {
      Object.assign(found, { processed: 0, cleared: 0, investigated: 0, limited_investigated: 0, why: words.none_short });
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
  const noted = (keys) => keys.split(" ").filter(Boolean).map(word).join(", ");
  // Among figures of one year, what the year has in common is no news.
  const own = (row) => ({ ...row, note: row.note.replace(/notes\.(break|mixed)/, "").trim() });

  // --- tables ------------------------------------------------------------------------------------------------------
  const pick = (row, columns) => columns.map((name) => (name === "note" ? noted(row.note) : row[name]));
  const ranked = () => {
    const of = (wanted) => data.places.filter(([place]) => place.startsWith(`${wanted}/`))
      .map(([place]) => figure(place, chosen.group, chosen.year)).filter(Boolean)
      .sort((a, b) => (a.pct === null) - (b.pct === null) || b.pct - a.pct);
    const extra = level() === "kommun" ? [figure(chosen.place, chosen.group, chosen.year)].filter(Boolean) : [];
    return [...of("riket"), ...of("polisregion"), ...of("lan"), ...extra];
  };
  const tables = {
    trend: () => {
      const columns = ["year", "processed", "cleared", "pct", "low", "high", "change", "significant", "country",
        "region_median", ...(level() === "lan" ? ["county_median"] : []), "lowest", "highest", "note"];
      return [columns, byYear(chosen.place, chosen.group).map((row) => pick(row, columns))];
    },
    groups: () => {
      const columns = ["processed", "cleared", "pct", "low", "high", "note"];
      const rows = data.groups.map((group) => [group, figure(wide(), group, chosen.year)]);
      return [["group", ...columns],
        rows.filter(([, row]) => row).map(([group, row]) => [words.group[group], ...pick(own(row), columns)])];
    },
    ranking: () => {
      const columns = ["processed", "cleared", "pct", "low", "high", "note"];
      return [["place", "level", ...columns], ranked().map((row) =>
        [names.get(row.place), words.place_kinds[row.place.split("/")[0]], ...pick(own(row), columns)])];
    },
    measures: () => {
      const columns = ["year", "processed", "investigated", "limited_investigated", "cleared", "pct", "prosecution", "note"];
      return [columns, byYear(wide(), chosen.group).map((row) => pick(row, columns))];
    },
    flow: () => {
      const stages = data.flow[wide()]?.[years.indexOf(chosen.year)] ?? [];
      return [["stage", "offences", "share"], stages.map((row, n) => [words.stages[data.stages[n]], ...row])];
    },
    outcomes: () => {
      const row = figure(wide(), chosen.group, chosen.year);
      const columns = ["outcome", "offences", "share_of_processed"];
      if (!row || row.pct === null) return [columns, []];
      return [columns, Object.keys(words.outcomes).map((name) =>
        [words.outcomes[name], row[name], share(row[name], row.processed)])];
    },
    time: () => {
      const found = (data.times[wide()] ?? []).flatMap((outcomes, n) =>
        ["cleared", "not_cleared", "all"].map((name, m) => outcomes[m] && [years[n], words.time_outcomes[name], ...outcomes[m]]));
      return [["year", "outcome", "offences", "p25", "median", "p75", "p90"],
        found.filter(Boolean).sort((a, b) => b[0] - a[0])];
    },
  };
  const shown = {};
  const kind = (column) => data.kinds[column] ?? "t";
  const text = (column, value) => {
    if (value === null || value === undefined) return words.not_applicable;
    if (kind(column) === "n") return count(value);
    if (kind(column) === "t") return tenths(value);
    return kind(column) === "b" ? (value ? words.said_yes : words.said_no) : String(value);
  };
  const plain = (column, value) => {
    if (value === null || value === undefined) return "";
    if (kind(column) !== "t") return kind(column) === "n" ? String(value) : text(column, value);
    return (value < 0 ? "-" : "") + Math.floor(Math.abs(value) / 10) + write.decimal + (Math.abs(value) % 10);
  };
  const parted = (name, mark) => [shown[name].columns.map((column) => words.columns[column]),
    ...shown[name].rows.map((row) => row.map((value, n) => plain(shown[name].columns[n], value)))]
    .map((row) => row.map((value) => (mark !== "\t" && /[",;\n]/.test(value) ? `"${value.replace(/"/g, '""')}"` : value)).join(mark));
  const element = (tag, content, attributes = {}) => {
    const made = document.createElement(tag);
    if (content !== null) made.textContent = content;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const fillTable = (name, sorted) => {
    const table = byId(`table-${name}`);
    const { columns, rows } = shown[name];
    const heads = columns.map((column, n) => {
      const head = element("th", null, { scope: "col", ...(kind(column) === "s" ? { class: "words" } : {}) });
      const button = element("button", words.columns[column], { type: "button" });
      button.addEventListener("click", () => sort(name, n));
      if (sorted?.column === n) head.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
      head.append(button);
      return head;
    });
    table.tHead.rows[0].replaceChildren(...heads);
    table.tBodies[0].replaceChildren(...rows.map((row) => {
      const line = element("tr", null);
      line.append(...row.map((value, n) => {
        const shown = text(columns[n], value);
        return n ? element("td", shown, kind(columns[n]) === "s" ? { class: "words" } : {}) : element("th", shown, { scope: "row" });
      }));
      if ((columns[0] === "year" && row[0] === chosen.year) || row[0] === names.get(chosen.place)) line.dataset.chosen = "";
      return line;
    }));
    if (sorted) heads[sorted.column].firstChild.focus();
    byId(`missing-${name}`).hidden = rows.length > 0;
    table.parentElement.hidden = byId(`download-${name}`).parentElement.hidden = rows.length === 0;
    const mark = write.decimal === "," ? ";" : ",";
    const group = chosen.group === "total" ? "" : `-${chosen.group}`;
    const place = DETAILED.includes(name) ? wide() : chosen.place;
    byId(`download-${name}`).download = `${data.page}-${name}-${place.replace("/", "-")}-${chosen.year}${group}.csv`;
    byId(`download-${name}`).href = "data:text/csv;charset=utf-8," + encodeURIComponent("\ufeff" + parted(name, mark).join("\r\n") + "\r\n");
  };
  const sort = (name, column) => {
    const before = shown[name].sorted;
    const down = before?.column === column ? !before.down : false;
    const rank = (value) => (typeof value === "string" ? value : Number(value));
    shown[name].rows.sort((one, two) => {
      const [a, b] = [one[column], two[column]];
      if (a === null || b === null) return (a === null) - (b === null);
      const order = typeof a === "string" ? a.localeCompare(b, data.language) : rank(a) - rank(b);
      return down ? -order : order;
    });
    shown[name].sorted = { column, down };
    fillTable(name, shown[name].sorted);
  };

  // --- pictures ----------------------------------------------------------------------------------------------------
  const put = (parent, tag, attributes, content) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (content !== undefined) made.textContent = content;
    parent.append(made);
    return made;
  };
  const topFor = (tops, values) => {
    const most = Math.max(0, ...values.filter((value) => value !== null && value !== undefined));
    return tops.find((top) => top >= most) ?? most;
  };
  const canvas = (svg) => {
    svg.querySelectorAll(".dyn").forEach((old) => old.remove());
    return put(svg, "g", { class: "dyn", fill: "none" });
  };
  const relabel = (group, top) => {
    const labels = [...group.querySelectorAll("text")];
    labels.forEach((label, n) => { label.textContent = String((top * n) / (labels.length - 1)); });
  };
  const segments = (points, cuts) => {
    const found = [];
    let before = null;
    for (const point of points) {
      if (point.value === null) continue;
      if (before !== point.year - 1 || cuts.includes(point.year)) found.push([]);
      found[found.length - 1].push(point);
      before = point.year;
    }
    return found;
  };
  const drawLines = (svg, lines, spread, cuts, beside = []) => {
    const [w, h, from, to] = ["w", "h", "from", "to"].map((name) => Number(svg.dataset[name]));
    const small = svg.dataset.small === "True";
    const top = topFor(PCT_TOPS, [...[...lines, ...beside].flatMap((line) => line.points.flatMap((p) => [p.value, p.high])), ...spread.map((s) => s[2])]);
    const x = (year) => (w * (year - from)) / (to - from), y = (value) => h * (1 - value / top);
    const g = canvas(svg);
    relabel([...svg.querySelectorAll(".al")].find((axis) => axis.querySelector('text[text-anchor="end"]')), top);
    for (const [year, low, high] of spread) {
      put(g, "rect", { x: x(year - 0.5), width: x(1) - x(0), y: y(high), height: y(low) - y(high), fill: "#ddd", opacity: 0.6 });
    }
    for (const piece of lines.filter((line) => line.style === "chosen").flatMap((line) => segments(line.points, cuts))) {
      const banded = piece.filter((p) => p.low !== null && p.low !== undefined);
      const edge = (name) => banded.map((p) => `${x(p.year)},${y(p[name])}`);
      if (banded.length > 1) put(g, "polygon", { points: [...edge("high"), ...edge("low").reverse()].join(" "), fill: WASH, opacity: 0.8 });
      for (const p of banded) put(g, "line", { x1: x(p.year), x2: x(p.year), y1: y(p.low), y2: y(p.high), stroke: CHOSEN, opacity: 0.5 });
    }
    const looks = { country: [INK, 1.5, ""], median: [MUTED, 1.5, "5 3"], second: [MUTED, 2, "6 2"], chosen: [CHOSEN, 2.5, ""] };
    const labels = [];
    for (const line of lines) {
      const [colour, thickness, dash] = looks[line.style];
      for (const piece of segments(line.points, cuts)) {
        put(g, "polyline", { points: piece.map((p) => `${x(p.year)},${y(p.value)}`).join(" "), stroke: colour, "stroke-width": thickness, "stroke-dasharray": dash });
        for (const p of piece) {
          if (line.style === "country" || line.style === "median") {
            if (p.small) put(g, "circle", { cx: x(p.year), cy: y(p.value), r: 2.5, fill: "#fff", stroke: colour, "stroke-width": 1.5 });
            else put(g, "line", { x1: x(p.year) - 4, x2: x(p.year) + 4, y1: y(p.value), y2: y(p.value), stroke: colour, "stroke-width": thickness });
            continue;
          }
          const look = { fill: p.small ? "#fff" : colour, stroke: colour, "stroke-width": 1.5 };
          const size = small ? 3 : 3.8;
          const dot = line.style === "chosen" ? put(g, "circle", { cx: x(p.year), cy: y(p.value), r: size, ...look })
            : put(g, "rect", { x: x(p.year) - 3.3, y: y(p.value) - 3.3, width: 6.6, height: 6.6, ...look });
          put(dot, "title", {}, p.tip ?? `${p.year}: ${tenths(Math.round(p.value * 10))}${write.percent}`);
        }
      }
      if (line.style === "chosen" && !small) {
        for (const p of line.points.filter((point) => point.why)) {
          put(g, "text", { x: x(p.year), y: h - 4, "text-anchor": "middle", "font-size": 12, fill: MUTED }, p.why === words.withheld_short ? words.gap_withheld : words.gap_none);
        }
      }
      const last = line.points.filter((p) => p.value !== null).pop();
      if (last && line.label && Number(svg.dataset.labels)) labels.push({ at: y(last.value), text: line.label, fill: colour });
    }
    let lowest = -16;
    for (const label of labels.sort((a, b) => a.at - b.at)) {
      lowest = Math.max(label.at, lowest + 16);
      put(g, "text", { x: w + 6, y: lowest + 4, "font-size": 13, fill: label.fill }, label.text);
    }
  };
  const drawDots = (svg, marks, tops, reference) => {
    const w = Number(svg.dataset.w), g = canvas(svg);
    const top = topFor(tops, marks.flatMap((mark) => [mark.value, mark.high, mark.far]));
    const x = (value) => (w * value) / top;
    const axis = svg.querySelector(".al");
    if (axis) relabel(axis, top);
    const height = ROW * ((marks.at(-1)?.row ?? 0) + 1);
    svg.querySelectorAll("g:not(.dyn) > line").forEach((grid) => { grid.setAttribute("y2", height); });
    const [left, above, width] = svg.getAttribute("viewBox").split(" ").map(Number);
    svg.setAttribute("viewBox", `${left} ${above} ${width} ${height - above + 8}`);
    svg.setAttribute("height", height - above + 8);
    if (reference !== null) put(g, "line", { x1: x(reference), x2: x(reference), y1: 0, y2: height, stroke: INK });
    for (const mark of marks) {
      const at = ROW * (mark.row + 0.5), colour = mark.bold ? CHOSEN : MUTED;
      put(g, "text", { x: -8, y: at + 4, "text-anchor": "end", "font-size": 13, "font-weight": mark.bold ? 700 : 400, fill: INK }, mark.label);
      put(g, "text", { x: w + 10, y: at + 4, "font-size": 13, fill: INK }, mark.text);
      if (mark.value === null) continue;
      if (mark.far !== undefined) put(g, "line", { x1: x(mark.high), x2: x(mark.far), y1: at, y2: at, stroke: MUTED });
      put(g, "line", { x1: x(mark.low), x2: x(mark.high), y1: at, y2: at, stroke: colour, opacity: 0.6, "stroke-width": mark.far === undefined ? 1.5 : 4 });
      const size = mark.bold ? 5.5 : 3.8, cx = x(mark.value);
      const dot = put(g, "path", { d: mark.bold ? `M${cx},${at - size}L${cx + size},${at}L${cx},${at + size}L${cx - size},${at}Z`
        : `M${cx - size},${at}a${size},${size} 0 1,0 ${2 * size},0a${size},${size} 0 1,0 ${-2 * size},0`,
        fill: mark.hollow ? "#fff" : colour, stroke: colour, "stroke-width": 1.5 });
      put(dot, "title", {}, `${mark.label}: ${mark.text}`);
    }
  };
  const drawBars = (svg, marks) => {
    const w = Number(svg.dataset.w), g = canvas(svg), row = ROW + 8;
    const top = Math.max(1, ...marks.map((mark) => mark.value));
    const [left, above, width] = svg.getAttribute("viewBox").split(" ").map(Number);
    svg.setAttribute("viewBox", `${left} ${above} ${width} ${marks.length * row + 8}`);
    svg.setAttribute("height", marks.length * row + 8);
    marks.forEach((mark, n) => {
      const at = row * (n + 0.5), to = (w * mark.value) / top;
      put(g, "rect", { x: 0, width: to, y: at - ROW / 2, height: ROW, fill: CHOSEN });
      put(g, "text", { x: -8, y: at + 4, "text-anchor": "end", "font-size": 13, fill: INK }, mark.label);
      put(g, "text", { x: to + 6, y: at + 4, "font-size": 13, fill: INK }, mark.text);
    });
  };
  const points = (rows, name = "pct") => rows.map((row) => ({
    year: row.year, value: row[name] === null ? null : row[name] / 10,
    low: name === "pct" && row.low !== null ? row.low / 10 : null, high: name === "pct" && row.high !== null ? row.high / 10 : null,
    small: name === "country" ? row.country_small : !name.endsWith("median") && row.small, why: name === "pct" || name === "prosecution" ? (row[name] === null ? row.why ?? words.none_short : "") : "",
    tip: row.messages && row.pct !== null && name === "pct" ? `${row.year}: ${tenths(row.pct)}${write.percent} (${tenths(row.low)}–${tenths(row.high)})` : undefined,
  }));
  const drawing = (name) => document.querySelector(`#picture-${name} svg`);
  const draw = () => {
    const rows = byYear(chosen.place, chosen.group), cuts = data.cuts;
    const line = (style, label, name, of = rows) => ({ style, label, points: points(of, name) });
    const spread = rows.filter((row) => row.lowest !== null && row.lowest !== undefined).map((row) => [row.year, row.lowest / 10, row.highest / 10]);
    drawLines(drawing("trend"), [
      line("median", words.series.region_median, "region_median"),
      ...(level() === "lan" ? [line("median", words.series.county_median, "county_median")] : []),
      ...(level() === "riket" ? [] : [line("country", words.series.country, "country")]),
      line("chosen", names.get(chosen.place), "pct"),
    ], spread, cuts);
    const panels = data.groups.filter((group) => drawing(`group-${group}`))
      .flatMap((group) => ["country", "pct"].map((name) => line("", "", name, byYear(wide(), group))));
    for (const group of data.groups) {
      const svg = drawing(`group-${group}`);
      if (!svg) continue;
      const of = byYear(wide(), group);
      drawLines(svg, [line("country", "", "country", of), line("chosen", "", "pct", of)], [], cuts, panels);
      svg.closest(".picture").parentElement.hidden = of.length === 0;
    }
    const of = byYear(wide(), chosen.group);
    drawLines(drawing("measures"), [line("second", words.series.prosecution, "prosecution", of), line("chosen", words.series.clearance, "pct", of)], [], cuts);
    let row = 0, before = "riket";
    const marks = ranked().map((one) => {
      const of = one.place.split("/")[0];
      row += of === before ? 0 : 0.6;
      before = of;
      const known = one.pct !== null;
      return { label: names.get(one.place), value: known ? one.pct / 10 : null, low: one.low / 10, high: one.high / 10,
        text: known ? tenths(one.pct) : one.why, bold: one.place === chosen.place, hollow: one.small, row: row++ };
    });
    drawDots(drawing("ranking"), marks, PCT_TOPS, marks[0]?.value ?? null);
    for (const name of ["flow", "outcomes"]) {
      const bars = shown[name].rows.map(([label, value, part]) =>
        ({ label, value, text: count(value) + (part === null ? "" : ` (${tenths(part)}${write.percent})`) }));
      drawBars(drawing(name), bars);
      drawing(name).closest(".picture").hidden = bars.length === 0;
    }
    let at = 0, year = null;
    const times = shown.time.rows.filter((one) => one[1] !== words.time_outcomes.all).map(([of, outcome, offences, p25, median, p75, p90]) => {
      at += year === null || of === year ? 0 : 0.4;
      year = of;
      const cleared = outcome === words.time_outcomes.cleared;
      const label = `${of} ${words.series[cleared ? "cleared" : "not_cleared"]}`;
      return median === null ? { label, value: null, text: words.none_short, row: at++ } : { label, value: median, low: p25, high: p75, far: p90,
        text: `${count(median)} ${words.days}`, bold: cleared, hollow: offences < 30, row: at++ };
    });
    drawDots(drawing("time"), times, DAY_TOPS, null);
    drawing("time").closest(".picture").hidden = times.length === 0;
  };

  // --- the two kinds of page ---------------------------------------------------------------------------------------
  const showIndicator = () => {
    const row = figure(chosen.place, chosen.group, chosen.year);
    const values = row && { ...row, previous: row.year - 1, first: data.first, changed: data.changed[row.year],
      previous_pct: figure(chosen.place, chosen.group, row.year - 1 < years[0] ? row.year : row.year - 1).pct,
      first_pct: figure(chosen.place, chosen.group, Math.min(Math.max(data.first, years[0]), years.at(-1))).pct };
    if (row?.shifts) {
      ["since", "to_country", "to_region_median", "to_county_median"].forEach((name, n) => {
        values[name] = row.pct - (n ? row[name.slice(3)] : values.first_pct) + row.shifts[n];
      });
    }
    const sentences = row ? row.messages.map((name) => fill(words.messages[name], values)) : [words.not_published];
    byId("says").replaceChildren(...sentences.map((sentence) => element("p", sentence)));
    const formula = (key, none, known) => element("p", known ? fill(words[key], values) : words[none]);
    all("#formulas p").forEach((old) => old.remove());
    byId("formulas").append(formula("formula_text", "formula_none", row && row.pct !== null));
    if (wide() === chosen.place) byId("formulas").append(formula("formula_prosecution", "formula_prosecution_none", row && row.prosecution !== null));
    all("[data-of-region]").forEach((note) => {
      note.hidden = wide() === chosen.place;
      note.textContent = fill(words.of_region, { region: names.get(wide()) });
    });
    all("[data-wide-place]").forEach((span) => { span.textContent = names.get(wide()); });
    byId("note-trend").textContent = fill(words.trend_note, { spread: words.spread[level() === "lan" ? "lan" : "polisregion"] });
    for (const [name, make] of Object.entries(tables)) {
      if (!byId(`table-${name}`)) continue;
      const [columns, rows] = make();
      shown[name] = { columns, rows };
      fillTable(name);
    }
    draw();
  };
  const showOverview = () => {
    const rows = {};
    for (const [name, one] of Object.entries(data.indicators)) {
      const of = years.map((year, n) => {
        const [state, verdict, processed = null, cleared = null, pct = null, change = null, since = null] = one.cells[chosen.place][n];
        return { year, state, verdict, processed, cleared, pct, change, since, low: null, high: null, small: state === "small", country_small: one.cells["riket/SE"][n][0] === "small", ...common(one.common, year) };
      });
      const row = of[years.indexOf(chosen.year)];
      rows[name] = row;
      const values = { ...row, previous: chosen.year - 1, first: one.first };
      const labels = words.card, known = row.pct !== null;
      const facts = ["change", "since", "country", "region_median", "county_median"].filter((fact) => row[fact] !== null && {
        change: true, since: one.first !== chosen.year - 1, country: level() !== "riket",
        region_median: true, county_median: true }[fact])
        .map((fact) => fill(labels[fact === "country" && row.country_small ? "country_small" : fact], values));
      const card = document.querySelector(`[data-indicator="${name}"]`);
      const [share, counts] = known ? [fill(labels.level, values), fill(labels.counts, values)] : [row.state === "withheld" ? labels.withheld : labels.none, ""];
      // Of few offences the count says more than the share.
      card.querySelector(".level").textContent = row.small ? counts : share;
      card.querySelector(".counts").textContent = row.small ? share : counts;
      card.dataset.state = row.state;
      card.querySelector(".verdict").textContent = known ? words.verdicts[row.verdict] : "";
      card.querySelector(".verdict").dataset.verdict = known ? row.verdict : "";
      card.querySelector(".facts").replaceChildren(...facts.map((fact) => element("li", fact)));
      const svg = card.querySelector("svg");
      svg.setAttribute("aria-label", `${one.name}: ${card.querySelector(".level").textContent}. ${facts.join(". ")}`);
      const line = (style, column) => ({ style, label: "", points: points(of, column).map((p) => ({ ...p, low: null, high: null })) });
      drawLines(svg, [...(level() === "riket" ? [] : [line("country", "country")]), line("chosen", "pct")], [], one.cuts);
    }
    const values = { year: chosen.year, previous: chosen.year - 1 };
    const add = (key, test) => {
      const list = Object.keys(rows).filter((name) => test(rows[name])).map((name) => data.indicators[name].name).join(", ");
      return list ? [fill(words.summaries[key], { ...values, list })] : [];
    };
    const sentences = [];
    if (chosen.year === years[0]) sentences.push(fill(words.summaries.no_previous, values));
    else {
      for (const one of Object.keys(words.verdicts)) sentences.push(...add(one, (row) => row.pct !== null && row.verdict === one));
      const struck = Object.values(rows).some((row) => row.pct !== null && (row.verdict === "rise" || row.verdict === "fall"));
      if (struck) sentences.push(words.summaries.chance);
      else if (Object.values(rows).some((row) => row.pct !== null && row.verdict === "within")) sentences.unshift(fill(words.summaries.none_significant, values));
    }
    for (const one of ["small", "none", "withheld"]) sentences.push(...add(one, (row) => row.state === one));
    byId("summary").replaceChildren(...sentences.map((sentence) => element("p", sentence)));
  };
  const show = () => {
    all("[data-place]").forEach((span) => { span.textContent = names.get(chosen.place); });
    all("[data-year]").forEach((span) => { span.textContent = chosen.year; });
    all("[data-group]").forEach((span) => { span.textContent = chosen.group === "total" ? "" : `, ${words.group[chosen.group]}`; });
    document.title = `${title} – ${names.get(chosen.place)} ${chosen.year} – Uppklarat`;
    byId("choose-place").value = chosen.place;
    byId("choose-year").value = chosen.year;
    if (byId("choose-group")) byId("choose-group").value = chosen.group;
    const tail = `/${chosen.place}/${chosen.year}`;
    const here = `#${data.page || "alla"}${tail}${chosen.group === "total" ? "" : `/${chosen.group}`}`;
    byId("choice-link").href = here;
    for (const link of all("a[data-keeps-choice]")) {
      const page = link.closest("[data-indicator]")?.dataset.indicator;
      link.href = link.getAttribute("href").split("#")[0] + (page ? `#${page}${tail}` : here);
    }
    if (data.page) showIndicator();
    else showOverview();
    return here;
  };

  // --- choosing ----------------------------------------------------------------------------------------------------
  const fromAddress = () => {
    const [page, of, code, year, group = "total"] = decodeURIComponent(location.hash.slice(1)).split("/");
    if (!data.page && page in data.indicators) {
      const link = document.querySelector(`[data-indicator="${page}"] a`).getAttribute("href").split("#")[0];
      location.replace(link + location.hash);
      return;
    }
    const place = `${of}/${code}`;
    if (!names.has(place) || !years.includes(Number(year))) return;
    chosen = { place, year: Number(year), group: data.groups.includes(group) ? group : "total" };
  };
  const form = byId("chooser");
  const options = (select, entries) => select.append(...entries.map(([value, label]) => element("option", label, { value })));
  const groupNames = { riket: 0, polisregion: 0, lan: 0, kommun: 0 };
  for (const of of Object.keys(groupNames)) {
    const entries = data.places.filter(([place]) => place.startsWith(`${of}/`));
    if (!entries.length) continue;
    const part = element("optgroup", null, { label: data.levels[of] });
    options(part, entries.sort((a, b) => (of === "polisregion" ? 0 : a[1].localeCompare(b[1], data.language))));
    byId("choose-place").append(part);
  }
  options(byId("choose-year"), [...years].reverse().map((year) => [year, year]));
  if (byId("choose-group")) options(byId("choose-group"), data.groups.map((group) => [group, words.group[group]]));
  form.addEventListener("change", () => {
    chosen = { place: byId("choose-place").value, year: Number(byId("choose-year").value), group: byId("choose-group")?.value ?? "total" };
    history.replaceState(null, "", show());
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", () => { fromAddress(); show(); });
  for (const button of all("[data-copy]")) {
    if (!shown || !tables[button.dataset.copy]) continue;
    button.hidden = false;
    const label = button.firstChild.textContent;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(parted(button.dataset.copy, "\t").join("\n"));
      button.firstChild.textContent = words.copied;
      setTimeout(() => { button.firstChild.textContent = label; }, 2000);
    });
  }
  if (byId("municipalities")) byId("municipalities").hidden = false;
  form.hidden = false;
  fromAddress();
  show();
  // Where a line is wider than the screen, its newest years are what the reader came for.
  all('.picture:has([data-kind="lines"])').forEach((picture) => { picture.scrollLeft = picture.scrollWidth; });
})();
