"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const pictures = data.pictures || [];

  /** An element with attributes and children; text is never taken for HTML. */
  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value !== null && value !== false && value !== undefined) made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children.filter((one) => one !== null && one !== undefined));
    return made;
  }

  const BREAKS = /[_/\\=@+](?=[^\s_/\\=@+])|\w[,:-](?=[A-Za-z#])|[a-z](?=[A-Z])/g; // html.py has the same

  /** Text that goes on in the next line between the words of a name or path, where it has to. */
  function words(text) {
    return String(text).replace(BREAKS, "$&\0").split("\0").flatMap((part, place) => (place ? [element("wbr"), part] : [part]));
  }

  function picture(number, alt, over) {
    return element("img", {
      src: "data:image/jpeg;base64," + pictures[number], alt: over ? "" : alt, class: over ? "over" : null, decoding: "async",
    });
  }

  /** One face: its picture, below it the bare one where there is one, over which the slider wipes. */
  function face(side) {
    if (side.img === null || side.img === undefined) {
      return element("span", { class: "face" }, element("span", { class: "none" }, "no picture"));
    }
    if (side.bare === null || side.bare === undefined) return element("span", { class: "face" }, picture(side.img, side.alt));
    return element("span", { class: "face" }, picture(side.bare, side.alt), picture(side.img, "", true));
  }

  function range(label, value, change, most = 100) {
    const input = element("input", { type: "range", min: 0, max: most, step: 1, value, "aria-label": label });
    input.addEventListener("input", () => change(Number(input.value)));
    return input;
  }

  const viewer = document.getElementById("viewer");
  let shown = [], at = 0, opener = null, wipe = 0;

  function view(items, place, from) {
    shown = items;
    at = place;
    opener = from || opener;
    draw();
    if (!viewer.open) viewer.showModal();
  }

  function draw() {
    const item = shown[at];
    const step = (by) => { at = (at + by + shown.length) % shown.length; draw(); };
    const faces = element("div", { class: item.sides.length > 1 ? "faces two" : "faces" }, ...item.sides.map(face));
    faces.style.setProperty("--wipe", wipe + "%");
    const slides = item.sides.some((side) => side.bare !== null && side.bare !== undefined);
    const slider = slides ? element("div", { class: "row" }, element("span", {}, "masked"),
      range("From masked to bare", wipe, (value) => { wipe = value; faces.style.setProperty("--wipe", value + "%"); }),
      element("span", {}, "bare")) : null;
    const told = element("dl", { class: "facts" }, ...item.facts.map(([name, value]) =>
      element("div", {}, element("dt", {}, name), element("dd", {}, ...words(value)))));
    const file = item.file ? element("p", {}, element("a", { href: item.file, target: "_blank", rel: "noopener" }, "Open the picture's file")) : null;
    viewer.replaceChildren(
      element("div", { class: "row" },
        element("button", { type: "button", onclick: () => step(-1), "aria-label": "Previous" }, "\u2190"),
        element("span", { "aria-live": "polite" }, `${at + 1} of ${shown.length}`),
        element("button", { type: "button", onclick: () => step(1), "aria-label": "Next" }, "\u2192"),
        element("button", { type: "button", onclick: () => viewer.close() }, "Close")),
      faces, ...(slider ? [slider] : []), ...(file ? [file] : []), told);
    viewer.focus();
  }

  viewer.addEventListener("keydown", (event) => {
    if (event.target.type === "range") return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) { at = (at + by + shown.length) % shown.length; draw(); event.preventDefault(); }
  });
  viewer.addEventListener("click", (event) => { if (event.target === viewer) viewer.close(); });
  viewer.addEventListener("close", () => { if (opener) opener.focus(); });

  /** Counts of a facet's values among items, in the order given or in that of their first appearance; with the values
      that the whole set has and the items have not. */
  function counted(told, name, order) {
    const counts = new Map((order || []).map((value) => [value, 0])), totals = told.totals[name] || {};
    for (const item of told.items) {
      const value = item.facets[name];
      if (value !== undefined) counts.set(value, (counts.get(value) || 0) + 1);
    }
    for (const value of Object.keys(totals)) counts.set(value, counts.get(value) || 0);
    return [...counts].filter(([value, count]) => count || totals[value]);
  }

  const comma = (number) => number.toLocaleString("en");

  /** A count of a sample says so: "3 of 40" where the whole count is known, "3 shown" where it is not. */
  function count_of(told, shown_, whole) {
    if (told.total <= told.items.length) return comma(shown_);
    return whole === undefined ? `${comma(shown_)} shown` : `${comma(shown_)} of ${comma(whole)}`;
  }

  /** A tile: the pictures, and what is said of them; `order` adds what the item tells in that order. */
  function tile(item, order, open) {
    const faces = element("span", { class: "faces" }, ...item.sides.map(face));
    const tells = item.tells && item.tells[order] ? [element("span", { class: "said tells" }, item.tells[order])] : [];
    const said = item.said.map((line, place) => element("span", { class: place ? "said pale" : "said" }, ...words(line)));
    const button = element("button", { type: "button", class: "tile" }, faces, ...tells, ...said);
    button.addEventListener("click", () => open(item, button));
    return element("li", {}, button);
  }

  const ascending = (items, order) => [...items].sort((a, b) => (a.sorts[order] ?? Infinity) - (b.sorts[order] ?? Infinity));

  /** The first items of a gallery in an order. */
  function strip(box, told) {
    const only = Object.entries(JSON.parse(box.dataset.only)), order = box.dataset.order;
    const some = ascending(told.items.filter((item) => item.sorts[order] !== undefined
      && only.every(([name, value]) => item.facets[name] === value)), order).slice(0, Number(box.dataset.count));
    if (!some.length) { box.append(element("p", { class: "note" }, "None.")); return; }
    box.append(element("ul", { class: told.pairs ? "tiles strip pairs" : "tiles strip" },
      ...some.map((item) => tile(item, order, (one, from) => view(some, some.indexOf(one), from)))));
  }

  /** Each row of a table of counts gets a picture of what it counts; a click filters the gallery. */
  function pictured(body, told, filter) {
    const facet = body.dataset.facetOf;
    for (const head of body.querySelectorAll("th[data-value]")) {
      const value = head.dataset.value;
      const item = told.items.find((one) => one.facets[facet] === value && one.sides[0].img !== null);
      if (!item) continue;
      const name = head.querySelector(".name");
      const button = element("button", { type: "button", class: "pick", title: "Show these in the gallery" },
        element("span", { class: "face" }, picture(item.sides[0].img, "", true)), element("span", {}, ...name.childNodes));
      button.addEventListener("click", () => filter(facet, value));
      body.classList.add("pictured");
      name.replaceWith(button);
    }
  }

  const FIRST = 60; // tiles, so that what follows a gallery is not far away

  function gallery(box, told) {
    const chosen = {};
    let order = told.sorts[0][0], sought = "", most = told.pairs ? FIRST / 2 : FIRST;
    const list = element("ul", { class: told.pairs ? "tiles pairs" : "tiles" });
    const count = element("p", { class: "note", "aria-live": "polite" });
    const more = element("button", { type: "button", class: "more" });
    const open = (item, from) => { const now = left(); view(now, now.indexOf(item), from); };
    let made = new Map();
    const tile_of = (item) => made.get(item) || made.set(item, tile(item, order, open)).get(item);

    const text_of = (item) => [...item.said, ...item.facts.map(([, value]) => value)].join("\n").toLowerCase();

    function left() {
      const text = sought.trim().toLowerCase();
      const found = told.items.filter((item) => Object.entries(chosen).every(([name, value]) => item.facets[name] === value)
        && text_of(item).includes(text));
      return order === "order" ? found : ascending(found, order);
    }

    function show() {
      const now = left(), some = now.slice(0, most);
      list.replaceChildren(...some.map(tile_of));
      const chosen_ = now.length < told.items.length ? ` that match, of ${comma(told.items.length)} on this page` : " on this page";
      count.textContent = `${some.length < now.length ? `${comma(some.length)} of ` : ""}${comma(now.length)}${chosen_}. ${told.note}`;
      more.hidden = some.length === now.length;
      more.textContent = `Show ${comma(now.length - some.length)} more`;
      if (!now.length) list.append(element("li", { class: "none-left" }, "Nothing is like this."));
    }

    const controls = element("div", { class: "controls" });
    for (const [name, label, values] of told.facets) {
      const found = counted(told, name, values), totals = told.totals[name] || {};
      if (found.length < 2) continue;
      const select = element("select", { "data-facet": name },
        element("option", { value: "" }, `all (${count_of(told, told.items.length, told.total)})`),
        ...found.map(([value, number]) => element("option", { value, disabled: !number }, `${value} (${count_of(told, number, totals[value])})`)));
      select.addEventListener("change", () => {
        if (select.value) chosen[name] = select.value; else delete chosen[name];
        show();
      });
      controls.append(element("label", {}, label, select));
    }
    if (told.sorts.length > 1) {
      const select = element("select", { "data-sort": true }, ...told.sorts.map(([value, label]) => element("option", { value }, label)));
      select.addEventListener("change", () => { order = select.value; made = new Map(); show(); });
      controls.append(element("label", {}, "Order", select));
    }
    const search = element("input", { type: "search", placeholder: "name", "data-search": true });
    search.addEventListener("input", () => { sought = search.value; show(); });
    controls.append(element("label", {}, "Search", search));
    if (told.items.some((item) => item.sides.some((side) => side.bare !== null && side.bare !== undefined))) {
      controls.append(element("label", {}, "Masked to bare",
        range("All pictures, from masked to bare", 0, (value) => list.style.setProperty("--wipe", value + "%"))));
    }
    more.addEventListener("click", () => {
      const next = most;
      most = Infinity;
      show();
      list.children[next].firstElementChild.focus();
    });
    box.append(controls, count, list, more);
    show();
    for (const body of document.querySelectorAll(`[data-bars="${box.dataset.gallery}"]`)) {
      pictured(body, told, (facet, value) => {
        const select = controls.querySelector(`[data-facet="${facet}"]`);
        for (const one of controls.querySelectorAll("[data-facet]")) one.value = "";
        for (const one of Object.keys(chosen)) delete chosen[one];
        search.value = sought = "";
        if (select) { select.value = value; chosen[facet] = value; } else if (told.items.some((item) => item.facets[facet] !== value)) search.value = sought = value;
        show();
        box.scrollIntoView();
        (select || search).focus({ preventScroll: true });
      });
    }
  }

  const percent = (part, whole) => (whole ? `${(100 * part / whole).toFixed(2)} %` : "none");
  const svg = (name, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };

  /** Both histograms of distances, from counts up to each threshold. */
  function histogram(judge, split) {
    const bins = 75, each = Math.ceil((judge.thresholds.length - 1) / bins), drawn = svg("svg", {
      viewBox: "0 0 640 220", class: "chart", role: "img",
      "aria-label": `Histograms of the distances: ${judge.said[0]}, and ${judge.said[1]}` });
    const sorts = [["same", "c0"], ["different", "c1"]].map(([name, colour]) => {
      const sums = split[name], total = sums[sums.length - 1] || 1, shares = [];
      for (let from = 0; from + 1 < judge.thresholds.length; from += each) {
        const until = Math.min(from + each, judge.thresholds.length - 1);
        shares.push((sums[until] - (from ? sums[from] : 0)) / total);
      }
      return { shares, colour };
    });
    const most = Math.max(...sorts.flatMap((sort) => sort.shares)) || 1;
    for (const { shares, colour } of sorts) {
      const wide = 620 / shares.length;
      let path = "M10 200";
      shares.forEach((share, place) => {
        const top = (200 - 185 * share / most).toFixed(1);
        path += `V${top}H${(10 + wide * (place + 1)).toFixed(1)}`;
      });
      drawn.append(svg("path", { d: path + "V200Z", class: "band " + colour, style: "opacity:.5" }));
    }
    drawn.append(svg("path", { d: "M10 200H630", class: "grid" }));
    const low = judge.thresholds[0], high = judge.thresholds[judge.thresholds.length - 1], span = (high - low) || 1;
    const size = 10 ** Math.floor(Math.log10(span / 4)), step = size * [1, 2, 5, 10].find((times) => span / (size * times) <= 6);
    for (let at = Math.ceil(low / step - 1e-9); at * step <= high + 1e-9 * span; at++) {
      const across = 10 + 620 * (at * step - low) / span;
      const label = svg("text", { x: across.toFixed(1), y: 217, "text-anchor": across < 30 ? "start" : across > 610 ? "end" : "middle" });
      label.textContent = String(Number((at * step).toPrecision(4)));
      drawn.append(svg("path", { d: `M${across.toFixed(1)} 200v4`, class: "grid" }), label);
    }
    return drawn;
  }

  /** The point of the ROC chart at which a threshold is. */
  function on_roc(false_accepts, true_accepts) {
    const chart = document.querySelector("[data-roc]");
    if (!chart) return;
    const [left, right, top, foot, lowest] = JSON.parse(chart.dataset.roc);
    const dot = chart.querySelector(".now") || chart.appendChild(svg("circle", { class: "now", r: 6 }));
    const across = 1 - Math.log(Math.max(false_accepts, lowest)) / Math.log(lowest);
    dot.setAttribute("cx", (left + across * (right - left)).toFixed(1));
    dot.setAttribute("cy", (foot - true_accepts * (foot - top)).toFixed(1));
  }

  /** The errors of each table row that follows the threshold. */
  function errors_of(judge, place) {
    const share = (part, whole) => (whole ? `${comma(part)} (${(100 * part / whole).toFixed(1)} %)` : "\u2013");
    for (const row of document.querySelectorAll("[data-errors-of]")) {
      const split = judge.splits[row.dataset.errorsOf];
      if (!split) continue;
      const same = split.same[split.same.length - 1], different = split.different[split.different.length - 1];
      row.cells[2].textContent = share(same - split.same[place], same);
      row.cells[4].textContent = share(split.different[place], different);
    }
    for (const one of document.querySelectorAll("[data-threshold-said]")) one.textContent = judge.thresholds[place].toFixed(4);
  }

  function judging(box, judge) {
    const first = Object.keys(judge.splits)[0];
    let name = first, place = judge.at;
    const select = element("select", { "data-split": true }, ...Object.keys(judge.splits).map((one) => element("option", { value: one }, one)));
    const slider = range("Threshold", judge.at, (value) => { place = value; say(); }, judge.thresholds.length - 1);
    slider.dataset.threshold = "";
    const reset = element("button", { type: "button", onclick: () => { place = judge.at; slider.value = place; say(); } }, "As judged");
    const plot = element("figure", {}), told = element("div", { "aria-live": "polite", id: "judged" });
    select.addEventListener("change", () => { name = select.value; redraw(); });
    let line = null;

    function redraw() {
      const drawn = histogram(judge, judge.splits[name]);
      line = svg("path", { class: "mark", d: "" });
      drawn.append(line);
      plot.replaceChildren(drawn, element("ul", { class: "legend" },
        element("li", {}, element("i", { class: "key c0" }), judge.said[0]),
        element("li", {}, element("i", { class: "key c1" }), judge.said[1]),
        element("li", {}, "dashed: the threshold")));
      say();
    }

    function say() {
      const split = judge.splits[name], at = judge.thresholds[place];
      const low = judge.thresholds[0], high = judge.thresholds[judge.thresholds.length - 1];
      const same = split.same[split.same.length - 1], different = split.different[split.different.length - 1];
      const right = split.same[place], wrong = split.different[place];
      const across = 10 + 620 * (at - low) / ((high - low) || 1);
      line.setAttribute("d", `M${across.toFixed(1)} 8V200`);
      slider.setAttribute("aria-valuetext", at.toFixed(4));
      const cell = (number, whole) => element("td", { class: "number" }, `${comma(number)} (${percent(number, whole)})`);
      const row = (truth, ...cells) => element("tr", {}, element("th", { scope: "row" }, truth), ...cells);
      errors_of(judge, place);
      on_roc(different ? wrong / different : 0, same ? right / same : 0);
      told.replaceChildren(
        element("p", {}, `Threshold ${at.toFixed(4)}: accuracy ${percent(right + different - wrong, same + different)}, `
          + `false accepts ${percent(wrong, different)}, false rejects ${percent(same - right, same)}.`),
        element("table", { class: "confusion" }, element("caption", {}, "Confusion matrix at this threshold"),
          element("thead", {}, element("tr", {}, element("td", {}), element("th", { scope: "col" }, judge.said[2]), element("th", { scope: "col" }, judge.said[3]))),
          element("tbody", {}, row(judge.said[0], cell(right, same), cell(same - right, same)),
            row(judge.said[1], cell(wrong, different), cell(different - wrong, different)))));
    }

    box.append(element("div", { class: "controls" }, element("label", {}, "Pairs", select), reset), element("div", { class: "judged" }, plot, told));
    box.before(element("div", { class: "controls stay" }, element("label", { class: "long" }, "Threshold", slider)));
    redraw();
  }

  function epochs(box, list) {
    const shot = element("img", { class: "shot", alt: "" }), said = element("p", { class: "note", "aria-live": "polite" });
    const show = (place) => {
      const [label, number] = list[place];
      shot.src = "data:image/jpeg;base64," + pictures[number];
      shot.alt = `Histograms of the distances after ${label}`;
      said.textContent = label;
    };
    if (list.length > 1) {
      box.append(element("div", { class: "controls" }, element("label", {}, "Epoch", range("Epoch", list.length - 1, show, list.length - 1))));
    }
    box.append(said, shot);
    show(list.length - 1);
  }

  for (const box of document.querySelectorAll("[data-gallery]")) gallery(box, data.galleries[box.dataset.gallery]);
  for (const box of document.querySelectorAll("[data-strip]")) strip(box, data.galleries[box.dataset.strip]);
  for (const box of document.querySelectorAll("[data-judge]")) judging(box, data.judge);
  for (const box of document.querySelectorAll("[data-epochs]")) epochs(box, data.epochs);
  const command = document.getElementById("command");
  if (command && navigator.clipboard) {
    const button = element("button", { type: "button" }, "Copy the command");
    button.addEventListener("click", () => navigator.clipboard.writeText(command.textContent).then(
      () => { button.textContent = "Copied"; }, () => { button.textContent = "Select and copy it"; }));
    command.after(button);
  }
})();
