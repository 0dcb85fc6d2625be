/* Choosing, sorting, copying: puts the content that content.js generates for a choice into the page. */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { years, words } = data;
  const names = new Map(data.places);
  const byId = (id) => document.getElementById(id);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const title = document.title.split(" – ")[0];
  let chosen = data.choice, shown = null;
  // A page without the chosen group shows all victims, but passes it on.
  const group = () => (data.groups.includes(chosen.group) ? chosen.group : "total");

  const element = (tag, content, attributes = {}) => {
    const made = document.createElement(tag);
    if (content !== null) made.textContent = content;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const listed = (links, last = ", ") => links.flatMap((link, n) => (n ? [n === links.length - 1 ? last : ", ", link] : [link]));
  const address = (place) => `/${place}/${chosen.year}${chosen.group === "total" ? "" : `/${chosen.group}`}`;
  const paragraphs = (parent, sentences) => parent.replaceChildren(...sentences.map((sentence) => element("p", sentence)));

  // --- tables ------------------------------------------------------------------------------------------------------
  const fillTable = (name, order = shown.tables[name].rows.map((_, n) => n), sorted = null) => {
    const one = shown.tables[name], table = byId(`table-${name}`);
    const words = (n) => (one.kinds[n] === "words" ? { class: "words" } : {});
    table.caption.textContent = one.caption;
    const heads = one.head.map((label, n) => {
      const head = element("th", null, { scope: "col", ...words(n) });
      const button = element("button", label, { type: "button" });
      button.addEventListener("click", () => sort(name, n, sorted?.column === n && !sorted.down));
      if (sorted?.column === n) head.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
      head.append(button);
      return head;
    });
    table.tHead.rows[0].replaceChildren(...heads);
    table.tBodies[0].replaceChildren(...order.map((at) => {
      const line = element("tr", null, one.chosen[at] ? { "data-chosen": "" } : {});
      line.append(...one.text[at].map((text, n) => (n ? element("td", text, words(n)) : element("th", text, { scope: "row" }))));
      return line;
    }));
    if (sorted) heads[sorted.column].firstChild.focus();
    const none = one.rows.length === 0;
    byId(`missing-${name}`).hidden = !none;
    byId(`missing-${name}`).textContent = one.missing;
    table.closest("details").hidden = none;
    Object.assign(byId(`download-${name}`), { download: one.file, href: one.csv });
  };
  const sort = (name, column, down) => {
    const { rows, unknown } = shown.tables[name];
    const order = rows.map((_, n) => n).sort((one, two) => {
      const [a, b] = [rows[one][column], rows[two][column]];
      if (unknown[one] !== unknown[two]) return unknown[one] - unknown[two];
      if (a === null || b === null) return (a === null) - (b === null);
      const compared = typeof a === "string" ? a.localeCompare(b, data.language) : Number(a) - Number(b);
      return down ? -compared : compared;
    });
    fillTable(name, order, { column, down });
  };

  // --- pages ---------------------------------------------------------------------------------------
  const showWider = (page) => {
    const links = shown.wider.map(([place, name]) => element("a", name, { href: `#${page}${address(place)}` }));
    byId("wider").hidden = !links.length;
    byId("wider").lastElementChild.replaceChildren(...listed(links, ` ${words.and} `));
  };
  const showIndicator = () => {
    paragraphs(byId("says"), shown.says);
    byId("says").classList.toggle("hint", shown.quiet);
    showWider(data.page);
    all("#formulas p").forEach((old) => old.remove());
    byId("formulas").append(...shown.formulas.map((formula) => element("p", formula)));
    all("[data-of-region]").forEach((note) => { note.textContent = shown.of_region; note.hidden = !shown.of_region; });
    byId("missing-places").replaceChildren(...shown.missing.map((line) => element("p", line, { class: "hint" })));
    byId("note-trend").textContent = shown.notes.trend;
    Object.keys(shown.tables).forEach((name) => fillTable(name));
    for (const [name, drawings] of Object.entries(shown.charts)) byId(`picture-${name}`).innerHTML = drawings.join("");
  };
  const showCards = () => {
    for (const { id, state, verdict, level, counts, facts, chart } of shown.cards) {
      const card = document.querySelector(`[data-indicator="${id}"]`);
      card.dataset.state = state;
      card.querySelector(".level").textContent = level;
      card.querySelector(".counts").textContent = counts;
      card.querySelector(".verdict").textContent = words.verdicts[verdict] ?? "";
      card.querySelector(".verdict").dataset.verdict = verdict;
      card.querySelector(".facts").replaceChildren(...facts.map((fact) => element("li", fact)));
      card.querySelector("svg").outerHTML = chart;
    }
  };
  const showOverview = () => {
    const { id, title, says, chart } = shown.headline, link = byId("h-headline").firstElementChild;
    link.textContent = title;
    link.dataset.keepsChoice = id;
    if (id) link.href = `${data.home}${id}.html`;
    else link.removeAttribute("href");
    byId("of-county").textContent = shown.of_county;
    byId("of-county").hidden = !shown.of_county;
    byId("finding").textContent = says[0];
    paragraphs(byId("says"), says.slice(1));
    byId("picture-headline").innerHTML = chart.join("");
    for (const letter of all("#picture-headline a")) {
      letter.setAttribute("href", letter.getAttribute("href").replace("#", `#${id}/${chosen.place}/${chosen.year}/${chosen.group}/`));
    }
    paragraphs(byId("summary"), shown.summary);
    showCards();
    const links = shown.withheld.map((one) => document.querySelector(`[data-indicator="${one.id}"] a`).cloneNode(true));
    byId("withheld").hidden = !links.length;
    byId("withheld").lastElementChild.replaceChildren(...listed(links));
    showWider("alla");
  };
  const showCommitments = () => {
    byId("of-place").textContent = shown.of_place;
    showCards();
    for (const [name, table] of Object.entries(shown.tables)) if (byId(`table-${name}`)) byId(`table-${name}`).innerHTML = table;
  };
  const show = () => {
    shown = content(data, { ...chosen, group: group() });
    const place = names.get(shown.shown_place ?? chosen.place);
    all("[data-place]").forEach((span) => { span.textContent = place; });
    all("[data-year]").forEach((span) => { span.textContent = chosen.year; });
    all("[data-group]").forEach((span) => { span.textContent = group() === "total" ? "" : `, ${words.group[group()]}`; });
    document.title = `${title} – ${place} ${chosen.year} – Uppklarat`;
    byId("choose-place").value = chosen.place;
    byId("choose-year").value = chosen.year;
    if (byId("choose-group")) byId("choose-group").value = group();
    const choice = address(chosen.place);
    const here = `#${data.page || "alla"}${choice}`;
    byId("choice-link").href = here;
    ({ indicator: showIndicator, overview: showOverview, commitments: showCommitments })[data.view]();
    keepChoice(choice);
    return here;
  };

  // --- choosing ----------------------------------------------------------------------------------------------------
  const fromAddress = () => {
    const [page, of, code, year, group = "total", letter = ""] = decodeURIComponent(location.hash.slice(1)).split("/");
    if (data.view === "overview" && page in data.indicators) {
      location.replace(`${data.home}${page}.html${location.hash}`);
      return;
    }
    const place = `${of}/${code}`;
    if (!names.has(place) || !years.includes(Number(year))) return;
    chosen = { place, year: Number(year), group };
    return letter;
  };
  const form = byId("chooser");
  const options = (select, entries) => select.append(...entries.map(([value, label]) => element("option", label, { value })));
  for (const of of ["riket", "polisregion", "lan", "kommun"]) {
    const entries = data.places.filter(([place]) => place.startsWith(`${of}/`) && !place.endsWith("/okand"));
    if (!entries.length) continue;
    const part = element("optgroup", null, { label: data.levels[of] });
    options(part, entries.sort((a, b) => (of === "polisregion" ? 0 : a[1].localeCompare(b[1], data.language))));
    byId("choose-place").append(part);
  }
  options(byId("choose-year"), [...years].reverse().map((year) => [year, year]));
  if (byId("choose-group")) options(byId("choose-group"), data.groups.map((group) => [group, words.group[group]]));
  form.addEventListener("change", () => {
    chosen = { place: byId("choose-place").value, year: Number(byId("choose-year").value), group: byId("choose-group")?.value ?? chosen.group };
    history.replaceState(null, "", show());
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", () => { fromAddress(); show(); });
  for (const button of all("[data-copy]")) {
    button.hidden = false;
    const label = button.firstChild.textContent;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(shown.tables[button.dataset.copy].copied);
      button.firstChild.textContent = words.copied;
      setTimeout(() => { button.firstChild.textContent = label; }, 2000);
    });
  }
  form.hidden = false;
  const letter = fromAddress();
  show();
  if (letter) byId(letter)?.focus();
})();
