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
      element("div", {}, element("dt", {}, name), element("dd", {}, value))));
    viewer.replaceChildren(
      element("div", { class: "row" },
        element("button", { type: "button", onclick: () => step(-1), "aria-label": "Previous" }, "\u2190"),
        element("span", { "aria-live": "polite" }, `${at + 1} of ${shown.length}`),
        element("button", { type: "button", onclick: () => step(1), "aria-label": "Next" }, "\u2192"),
        element("button", { type: "button", onclick: () => viewer.close() }, "Close")),
      faces, ...(slider ? [slider] : []), told);
    viewer.focus();
  }

  viewer.addEventListener("keydown", (event) => {
    if (event.target.type === "range") return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) { at = (at + by + shown.length) % shown.length; draw(); event.preventDefault(); }
  });
  viewer.addEventListener("click", (event) => { if (event.target === viewer) viewer.close(); });
  viewer.addEventListener("close", () => { if (opener) opener.focus(); });

  /** Counts of a facet's values among items, in the order given or in that of their first appearance. */
  function counted(items, name, order) {
    const counts = new Map((order || []).map((value) => [value, 0]));
    for (const item of items) {
      const value = item.facets[name];
      if (value !== undefined) counts.set(value, (counts.get(value) || 0) + 1);
    }
    return [...counts].filter(([, count]) => count);
  }

  const FIRST = 60; // tiles, so that what follows a gallery is not far away

  function gallery(box, told) {
    const chosen = {};
    let order = told.sorts[0][0], sought = "", most = FIRST;
    const list = element("ul", { class: told.pairs ? "tiles pairs" : "tiles" });
    const count = element("p", { class: "note", "aria-live": "polite" });
    const more = element("button", { type: "button", class: "more" });
    const tiles = new Map(told.items.map((item) => [item, tile(item)]));

    function tile(item) {
      const faces = element("span", { class: "faces" }, ...item.sides.map(face));
      const said = item.said.map((line, place) => element("span", { class: place ? "said pale" : "said" }, line));
      const button = element("button", { type: "button", class: "tile" }, faces, ...said);
      button.addEventListener("click", () => { const now = left(); view(now, now.indexOf(item), button); });
      return element("li", {}, button);
    }

    const words_of = (item) => [...item.said, ...item.facts.map(([, value]) => value)].join("\n").toLowerCase();

    function left() {
      const words = sought.trim().toLowerCase();
      const found = told.items.filter((item) => Object.entries(chosen).every(([name, value]) => item.facets[name] === value)
        && words_of(item).includes(words));
      const key = (item) => item.sorts[order];
      return order === "order" ? found : [...found].sort((a, b) => (key(a) ?? Infinity) - (key(b) ?? Infinity));
    }

    function show() {
      const now = left(), some = now.slice(0, most);
      list.replaceChildren(...some.map((item) => tiles.get(item)));
      count.textContent = `${some.length.toLocaleString("en")} of ${told.items.length.toLocaleString("en")} shown. ${told.note}`;
      more.hidden = some.length === now.length;
      more.textContent = `Show ${(now.length - some.length).toLocaleString("en")} more`;
      if (!now.length) list.append(element("li", { class: "none-left" }, "Nothing is like this."));
    }

    const controls = element("div", { class: "controls" });
    for (const [name, label, values] of told.facets) {
      const found = counted(told.items, name, values);
      if (found.length < 2) continue;
      const select = element("select", { "data-facet": name }, element("option", { value: "" }, `all (${told.items.length})`),
        ...found.map(([value, number]) => element("option", { value }, `${value} (${number})`)));
      select.addEventListener("change", () => {
        if (select.value) chosen[name] = select.value; else delete chosen[name];
        show();
      });
      controls.append(element("label", {}, label, select));
    }
    if (told.sorts.length > 1) {
      const select = element("select", { "data-sort": true }, ...told.sorts.map(([value, label]) => element("option", { value }, label)));
      select.addEventListener("change", () => { order = select.value; show(); });
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
      const next = tiles.get(left()[most]);
      most = Infinity;
      show();
      next.firstElementChild.focus();
    });
    box.append(controls, count, list, more);
    show();
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
    return drawn;
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
      const cell = (number, whole) => element("td", { class: "number" }, `${number.toLocaleString("en")} (${percent(number, whole)})`);
      const row = (truth, ...cells) => element("tr", {}, element("th", { scope: "row" }, truth), ...cells);
      told.replaceChildren(
        element("p", {}, `Threshold ${at.toFixed(4)}: accuracy ${percent(right + different - wrong, same + different)}, `
          + `false accepts ${percent(wrong, different)}, false rejects ${percent(same - right, same)}.`),
        element("table", { class: "confusion" }, element("caption", {}, "Confusion matrix at this threshold"),
          element("thead", {}, element("tr", {}, element("td", {}), element("th", { scope: "col" }, judge.said[2]), element("th", { scope: "col" }, judge.said[3]))),
          element("tbody", {}, row(judge.said[0], cell(right, same), cell(same - right, same)),
            row(judge.said[1], cell(wrong, different), cell(different - wrong, different)))));
    }

    box.append(element("div", { class: "controls" }, element("label", {}, "Pairs", select), element("label", {}, "Threshold", slider), reset), plot, told);
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
