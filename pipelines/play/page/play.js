"use strict";
/* Sends what was chosen, shows what came back. Nothing is stored, nothing is fetched but from the page's own server. */
const at = (id) => document.getElementById(id);
const offered = JSON.parse(at("choices").textContent);
const MOST_PHOTOGRAPHS = 24;
const WORN = { proper: "properly", nose_out: "under the nose", chin_out: "above the chin", under_chin: "under the chin" };
const OWN = "own";
const photographs = []; // {name, data, url, thumb}
let seen = {}, chosen = 0, texture = null, shown = [], call = null, wait = null, stream = null;
let cameraFault = ""; // what is said of the camera, until something else is done

function options(select, pairs) {
  select.replaceChildren(...pairs.map(([value, text]) => new Option(text, value)));
}

function start() {
  const forms = Object.entries(offered.forms);
  options(at("kind"), [
    ...forms.map(([name, one]) => [name, `${name}: ${one.title}`]),
    ...offered.world.map((name) => [name, name === "world" ? "world: masks as people wear them" : name]),
  ]);
  options(at("print"), [["", "none"], ...offered.prints.map((one) => [one, one]), [OWN, "my own picture"]]);
  options(at("ink"), [["", "black or white"], [OWN, "my own colour"]]);
  options(at("wear"), offered.wear.map((one) => [one, WORN[one] || one]));
  for (const name of ["max_yaw", "max_pitch"]) {
    at(name).max = offered[name];
    at(name).value = offered[name];
  }
  colours();
  arrange();
  at("camera").disabled = !(navigator.mediaDevices && navigator.mediaDevices.getUserMedia);
  if (at("camera").disabled) at("camera").title = "Browsers allow the camera on this machine's own address only";
}

function colours() {
  const form = offered.forms[at("kind").value];
  options(at("colour"), [...(form ? form.colours.map((one) => [one.value, one.name]) : []), [OWN, "my own colour"]]);
}

/* Only what matters for the choice so far can be set. */
function arrange() {
  const world = !(at("kind").value in offered.forms), print = at("print").value;
  for (const one of document.querySelectorAll(".plain")) one.hidden = world;
  at("wear").disabled = !world && !offered.forms[at("kind").value].positions;
  at("wear").title = at("wear").disabled ? "This kind has one wearing position only" : "";
  at("own-colour").hidden = world || at("colour").value !== OWN;
  at("ink-label").hidden = world || !print || print === OWN;
  at("own-ink").hidden = at("ink-label").hidden || at("ink").value !== OWN;
  at("drop-texture").hidden = world || print !== OWN;
  for (const one of document.querySelectorAll("output")) {
    const value = at(one.htmlFor.value).value;
    one.textContent = one.htmlFor.value === "min_trust" ? value : `${value}°`;
  }
}

function asked(photo) {
  const value = (id) => at(id).value, own = (id, picked) => (value(id) === OWN ? value(picked) : value(id));
  const print = value("print");
  const told = {
    photo: { name: photo.name, data: photo.data },
    form: value("kind"), colour: own("colour", "picked"), wear: value("wear"), seed: value("seed") || (at("seed").validity.badInput ? "?" : "0"),
    print: print === OWN ? "" : print, ink: print && print !== OWN ? own("ink", "picked-ink") : "",
    texture: print === OWN && texture ? { name: texture.name, data: texture.data } : null,
  };
  for (const id of ["crop", "faces", "occluders", "masked_input", "min_trust", "max_yaw", "max_pitch"]) told[id] = value(id);
  if (!(told.form in offered.forms)) Object.assign(told, { colour: "", print: "", ink: "", texture: null });
  return told;
}

/* What stands on the page is of the choice before: it is dimmed and cannot be copied or saved until the answer is here. */
function working(name) {
  at("result").classList.toggle("working", Boolean(name));
  at("result").setAttribute("aria-busy", String(Boolean(name)));
  at("shown").inert = Boolean(name);
  at("wait").textContent = name ? `Working on ${name} …` : "";
  if (name) at("empty").hidden = true;
}

function later(soon) {
  clearTimeout(wait);
  if (cameraFault) at("said").textContent = cameraFault = "";
  if (photographs.length) {
    document.body.dataset.busy = "";
    working(photographs[chosen].name);
  }
  wait = setTimeout(all, soon ? 0 : 200);
}

/* The chosen photograph first, then the others for the strip. What was asked before is given up. */
async function all() {
  if (call) call.abort();
  if (!photographs.length) return;
  const mine = (call = new AbortController());
  const order = [chosen, ...photographs.keys()].filter((one, place, list) => list.indexOf(one) === place);
  try {
    for (const one of order) {
      const answer = await attempt(photographs[one], mine.signal);
      if (mine.signal.aborted) return;
      if (one === chosen) show(photographs[one], answer);
      thumb(one, answer);
      if (answer.error && photographs.length > 1) break;
    }
  } catch (fault) {
    if (fault.name !== "AbortError") show(photographs[chosen], { error: "The program does not answer: has it ended?" });
  }
}

async function attempt(photo, signal) {
  const body = JSON.stringify(asked(photo));
  const answer = await fetch("try", { method: "POST", headers: { "Content-Type": "application/json" }, body, signal });
  return answer.json();
}

function blob(text, type) {
  const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const url = URL.createObjectURL(new Blob([bytes], { type }));
  shown.push(url);
  return url;
}

function show(photo, answer) {
  shown.splice(0).forEach((one) => URL.revokeObjectURL(one));
  const there = Boolean(answer.masked);
  for (const id of ["stage", "shown"]) at(id).hidden = !there;
  at("empty").hidden = there;
  working("");
  delete document.body.dataset.busy;
  document.body.dataset.seen = String(Number(document.body.dataset.seen || 0) + 1);
  if (!there) {
    at("empty").textContent = answer.error || answer.said;
    return;
  }
  at("bare").src = blob(answer.bare, "image/jpeg");
  at("masked").src = blob(answer.masked, "image/jpeg");
  at("parts").src = blob(answer.parts, "image/png");
  at("stage").classList.toggle("small", answer.width < 320);
  seen = answer;
  zoom();
  points(answer);
  const entries = Object.entries(answer.legend).map(([name, colour]) => {
    const item = document.createElement("li"), key = document.createElement("span");
    key.className = "key";
    key.style.background = colour;
    item.append(key, name);
    return item;
  });
  at("legend").replaceChildren(...entries);
  at("facts").replaceChildren(...Object.entries(answer.facts).map(([name, text]) => {
    const line = document.createElement("div"), term = document.createElement("dt"), what = document.createElement("dd");
    term.textContent = name;
    what.append(...words(text));
    line.append(term, what);
    return line;
  }));
  at("command").textContent = answer.command;
  at("python").textContent = answer.python;
  Object.assign(at("save"), { href: at("masked").src, download: answer.name });
  Object.assign(at("save-photo"), { href: photo.url, download: answer.photo });
  at("save-texture").hidden = !answer.texture;
  if (answer.texture) Object.assign(at("save-texture"), { href: texture.url, download: answer.texture });
  at("needs").textContent = answer.texture ? `${answer.photo} and ${answer.texture}` : answer.photo;
}

/* A place for a line's end after each part of a name. */
function words(text) {
  return String(text).replace(/[_/+](?=\S)/g, "$&\0").split("\0").flatMap((part, place) =>
    (place ? [document.createElement("wbr"), part] : [part]));
}

/* The faces as large as the stage lets them be, with some room about them, or the whole picture. */
function zoom() {
  const layers = at("layers"), all = (seen.points || []).flat();
  if (!at("zoom").checked || !all.length) { layers.style.transform = ""; return; }
  const edges = [0, 1].map((axis) => {
    const values = all.filter((_, place) => place % 2 === axis);
    return [Math.min(...values), Math.max(...values)];
  });
  const whole = [seen.width, seen.height];
  const room = 1.9 * Math.max(...edges.map(([low, high], axis) => (high - low) / whole[axis]));
  const scale = Math.max(1, 1 / room);
  const shift = edges.map(([low, high], axis) => {
    const middle = (low + high) / 2 / whole[axis] - (axis ? 0.1 * room : 0);
    return 100 * Math.min(0, Math.max(0.5 - middle * scale, 1 - scale));
  });
  layers.style.transform = `translate(${shift[0].toFixed(2)}%, ${shift[1].toFixed(2)}%) scale(${scale.toFixed(3)})`;
}

function points(answer) {
  const svg = at("points"), dots = [];
  svg.setAttribute("viewBox", `-0.5 -0.5 ${answer.width} ${answer.height}`);
  for (const face of answer.points) {
    const xs = face.filter((_, place) => place % 2 === 0);
    const radius = Math.max((Math.max(...xs) - Math.min(...xs)) / 90, 0.4);
    for (let place = 0; place < face.length; place += 2) {
      const dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
      for (const [name, value] of [["cx", face[place]], ["cy", face[place + 1]], ["r", radius], ["stroke-width", radius / 3]])
        dot.setAttribute(name, value);
      dots.push(dot);
    }
  }
  svg.replaceChildren(...dots);
}

function thumb(place, answer) {
  const button = at("strip").children[place]?.firstElementChild;
  if (!button) return;
  if (!answer.masked) {
    button.textContent = photographs[place].name;
    button.title = answer.reason || answer.error;
    return;
  }
  button.title = "";
  const picture = new Image();
  picture.alt = photographs[place].name;
  picture.onload = () => {
    const small = document.createElement("canvas"), side = 128;
    const cut = Math.min(picture.naturalWidth, picture.naturalHeight);
    small.width = small.height = side;
    small.getContext("2d").drawImage(
      picture, (picture.naturalWidth - cut) / 2, (picture.naturalHeight - cut) / 2, cut, cut, 0, 0, side, side);
    const seen = new Image();
    seen.alt = photographs[place].name;
    seen.src = small.toDataURL("image/jpeg", 0.8);
    button.replaceChildren(seen);
  };
  picture.src = `data:image/jpeg;base64,${answer.masked}`;
}

function strip() {
  at("strip").replaceChildren(...photographs.map((one, place) => {
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.textContent = one.name;
    button.setAttribute("aria-pressed", String(place === chosen));
    button.addEventListener("click", () => {
      chosen = place;
      [...at("strip").children].forEach((each, at) => each.firstElementChild.setAttribute("aria-pressed", String(at === place)));
      later(true);
    });
    item.append(button);
    return item;
  }));
}

function read(file) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onerror = () => failed(reader.error);
    reader.onload = () => done({ name: file.name, data: String(reader.result).split(",", 2)[1] || "", url: URL.createObjectURL(file) });
    reader.readAsDataURL(file);
  });
}

async function add(files) {
  cameraFault = "";
  const given = [...files], some = given.slice(0, Math.max(MOST_PHOTOGRAPHS - photographs.length, 0));
  at("said").textContent = given.length > some.length ? `At most ${MOST_PHOTOGRAPHS} photographs: the others were left out.` : "";
  const large = some.filter((one) => one.size > offered.most);
  if (large.length) at("said").textContent = `${large[0].name} is larger than ${offered.most / 1e6} MB.`;
  const read_ = await Promise.all(some.filter((one) => one.size <= offered.most).map(read));
  if (!read_.length) return;
  chosen = photographs.length;
  photographs.push(...read_);
  strip();
  later(true);
}

function droppable(label, input, take) {
  const stopped = (event) => { event.preventDefault(); event.stopPropagation(); };
  for (const name of ["dragenter", "dragover"]) label.addEventListener(name, (event) => { stopped(event); label.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) label.addEventListener(name, (event) => { stopped(event); label.classList.remove("over"); });
  label.addEventListener("drop", (event) => take(event.dataTransfer.files));
  input.addEventListener("change", () => { const files = [...input.files]; input.value = ""; take(files); });
}

droppable(at("drop"), at("files"), add);
droppable(at("drop-texture"), at("texture"), async (files) => {
  if (!files.length) return;
  texture = await read(files[0]);
  at("texture-name").textContent = `${texture.name}: drop another, or click to choose`;
  later(true);
});
// A picture that is dropped beside the marked places is not opened in the page's stead.
for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());

at("portrait").addEventListener("click", async () => {
  const answer = await fetch("portrait.png");
  add([new File([await answer.blob()], "portrait.png", { type: "image/png" })]);
});

at("camera").addEventListener("click", async () => {
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } } });
  } catch (fault) {
    at("said").textContent = cameraFault = `The camera cannot be used: ${fault.message}.`;
    return;
  }
  at("said").textContent = cameraFault = "";
  at("live").hidden = false;
  at("video").srcObject = stream;
  await at("video").play();
});

function close() {
  stream?.getTracks().forEach((one) => one.stop());
  stream = null;
  at("video").srcObject = null;
  at("live").hidden = true;
}

at("stop").addEventListener("click", close);
at("shoot").addEventListener("click", () => {
  const video = at("video"), still = document.createElement("canvas");
  Object.assign(still, { width: video.videoWidth, height: video.videoHeight });
  still.getContext("2d").drawImage(video, 0, 0);
  close();
  const name = `camera-${photographs.length + 1}.jpg`;
  still.toBlob((data) => add([new File([data], name, { type: "image/jpeg" })]), "image/jpeg", 0.95);
});

at("form").addEventListener("submit", (event) => event.preventDefault());
function changed(event) {
  if (event.target.id === "kind") colours();
  arrange();
  if (event.target.type !== "file") later(false);
}
at("form").addEventListener("input", (event) => { if (event.target.tagName === "INPUT") changed(event); });
at("form").addEventListener("change", (event) => { if (event.target.tagName === "SELECT") changed(event); });
at("another").addEventListener("click", () => {
  at("seed").value = String(Number(at("seed").value || 0) + 1);
  later(false);
});
at("wipe").addEventListener("input", () => at("stage").style.setProperty("--wipe", `${at("wipe").value}%`));
at("zoom").addEventListener("change", zoom);
at("show-parts").addEventListener("change", () => { at("parts").hidden = at("legend").hidden = !at("show-parts").checked; });
at("show-points").addEventListener("change", () => { at("points").toggleAttribute("hidden", !at("show-points").checked); });
for (const button of document.querySelectorAll("[data-copy]")) {
  const text = button.textContent;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(at(button.dataset.copy).textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(at(button.dataset.copy));
      button.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => { button.textContent = text; }, 2000);
  });
}
start();
