/* SPDX-License-Identifier: Apache-2.0 */
/* All that is said in words around the diagram: how it ended, what can be hidden, the
 * list of events and the one that was chosen. */

const ROWS_MAX = 300;
const element = (id) => document.getElementById(id);
let listed = "matters"; /* Or "view". */

function child(parent, tag, text, className) {
  const one = document.createElement(tag);
  one.textContent = text;
  if (className) {
    one.className = className;
  }
  parent.append(one);
  return one;
}

/* --- how it ended --- */

function sayVerdict() {
  const failure = about.failure;
  element("scenario").textContent = about.scenario;
  element("which").textContent = `${about.file}:${about.line} · seed ${about.seed} · ${timeText(about.end, 3)} · ` +
    `${about.events.toLocaleString("en")} events`;
  const verdict = element("verdict");
  verdict.textContent = !failure ? "held" : failure.time === undefined ? failure.lead
    : failure.is_hazard ? "hazard shown" : "violated";
  verdict.classList.add(!failure ? "good" : failure.is_hazard ? "open" : "bad");
  element("replay").textContent = about.replay;
  for (const [name, value] of about.drawn) {
    const pair = child(element("drawn"), "span", `${name}=`);
    child(pair, "b", value);
  }
  if (failure) {
    element("failure").hidden = false;
    element("failure").classList.toggle("hazard", failure.is_hazard);
    element("lead").textContent = `${failure.lead}:`;
    element("sentence").textContent = failure.sentence;
    element("promise").textContent = failure.time === undefined ? ""
      : `promised: ${failure.promise} · broken at ${timeText(failure.time)}`;
  }
  sayGap();
}

function sayGap() {
  if (about.left_out === 0) {
    return;
  }
  const gap = element("gap");
  gap.hidden = false;
  gap.textContent = `This run is longer than a page can hold. All events are here from ${timeText(wholeFrom, 6)}` +
    ` on; of the ${about.left_out.toLocaleString("en")} before, only faults, roles and starts` +
    `${data.number[0] > 1 ? `, and those only from ${timeText(data.time[0], 3)}` : ""}.` +
    " Its end can be moved with --until.";
}

/* Where the clipboard may not be written to, the line is selected for whoever can. */
function copyReplay() {
  const say = (text) => { element("copy").textContent = text; };
  window.getSelection().selectAllChildren(element("replay"));
  if (navigator.clipboard) {
    navigator.clipboard.writeText(about.replay).then(() => say("copied"), () => say("press Ctrl+C"));
  } else {
    say("press Ctrl+C");
  }
}

/* --- what is shown --- */

function addChip(parent, text, colour, isOn, toggle) {
  const chip = document.createElement("button");
  chip.className = "chip";
  chip.setAttribute("aria-pressed", String(isOn));
  if (colour) {
    const swatch = document.createElement("i");
    swatch.style.setProperty("--swatch", `var(--${colour})`);
    chip.append(swatch);
  }
  chip.append(text);
  chip.onclick = () => {
    const now = chip.getAttribute("aria-pressed") !== "true";
    chip.setAttribute("aria-pressed", String(now));
    toggle(now);
    refresh();
  };
  parent.append(chip);
}

function setShown(set, number, isOn) {
  if (isOn) {
    set.add(number);
  } else {
    set.delete(number);
  }
}

function addFilters() {
  const clients = lanes.filter((lane) => !lane.isMember && lane.machine > 0);
  for (const lane of lanes.filter((one) => one.isMember)) {
    addChip(element("machines"), lane.name, null, true, (isOn) => { lane.isHidden = !isOn; });
  }
  if (clients.length > 0) {
    addChip(element("machines"), `${clients.length} client${clients.length === 1 ? "" : "s"}`, null, true,
      (isOn) => clients.forEach((lane) => { lane.isHidden = !isOn; }));
  }
  MESSAGES.forEach((name, number) => {
    if (name === "client") {
      shown.messages.delete(number);
    }
    addChip(element("messages"), name, name, shown.messages.has(number),
      (isOn) => setShown(shown.messages, number, isOn));
  });
  MARKS.forEach((name, number) => {
    if (name === "disks") {
      shown.marks.delete(number);
    }
    addChip(element("marks"), name, name, shown.marks.has(number), (isOn) => setShown(shown.marks, number, isOn));
  });
}

/* --- the list --- */

/* The last events of the kinds that the judge goes by, up to what it found. */
function slotsThatMatter() {
  const end = about.failure?.time ?? runEnd;
  const found = [];
  for (let slot = slotAt(end + 1) - 1; slot >= 0 && found.length < ROWS_MAX; slot--) {
    const isMessage = isSend[data.kind[slot]] || isReceive[data.kind[slot]];
    const matters = (about.kinds[data.kind[slot]].group & about.relevant) !== 0;
    if (matters && !isMessage && !joins(slot)) {
      found.push(slot);
    }
  }
  return found.reverse();
}

/* A partition is many links at one instant: a row for the first of them. */
function joins(slot) {
  const kind = data.kind[slot];
  const isLink = kind === KIND.cut || kind === KIND.heal;
  return isLink && slot > 0 && data.kind[slot - 1] === kind && data.time[slot - 1] === data.time[slot];
}

function linksAt(slot) {
  let count = 1;
  while (slot + count < data.count && joins(slot + count)) {
    count++;
  }
  return count;
}

function slotsInView() {
  const found = [];
  for (let slot = slotAt(view.from), last = slotAt(view.to + 1); slot < last && found.length <= ROWS_MAX; slot++) {
    const kind = data.kind[slot];
    const lane = laneOf.get(data.machine[slot]);
    const isMessage = isSend[kind] || isReceive[kind];
    const row = markOfKind[kind];
    const isShown = isMessage ? shown.messages.has(messageClass[slot]) : row < 0 || shown.marks.has(row);
    if (isShown && !lane.isHidden && !joins(slot)) {
      found.push(slot);
    }
  }
  return found;
}

function classOf(slot) {
  const kind = data.kind[slot];
  if (kind === KIND.role && data.a[slot] === 2) {
    return "leader";
  }
  const faults = [KIND.crash, KIND["power off"], KIND.stopped, KIND.pause, KIND.wipe, KIND.cut, KIND.fault, KIND.lose,
    KIND.clock, KIND["disk lost"], KIND["refuse frame"]];
  return faults.includes(kind) ? "fault" : "";
}

function addRow(list, slot) {
  const row = document.createElement("li");
  row.dataset.slot = slot;
  row.setAttribute("aria-selected", String(slot === focus.selected));
  child(row, "span", (data.time[slot] / 1e9).toFixed(6), "when");
  child(row, "span", machineName(data.machine[slot]));
  const more = linksAt(slot) - 1;
  child(row, "span", more > 0 && (joins(slot + 1)) ? `${eventText(slot)}, and ${more} more` : eventText(slot), classOf(slot));
  list.append(row);
}

function fillList() {
  const list = element("list");
  const wanted = element("search").value.toLowerCase();
  const all = listed === "matters" ? slotsThatMatter() : slotsInView();
  const slots = all.slice(0, ROWS_MAX)
    .filter((slot) => `${machineName(data.machine[slot])} ${eventText(slot)}`.toLowerCase().includes(wanted));
  list.replaceChildren();
  slots.forEach((slot) => addRow(list, slot));
  if (listed === "view" && all.length > ROWS_MAX) {
    child(list, "li", `the first ${ROWS_MAX} of what is in view; zoom in for the others`, "rest");
  } else if (slots.length === 0) {
    child(list, "li", "nothing", "rest");
  }
  if (listed === "matters" && about.failure && about.failure.time !== undefined) {
    const row = child(list, "li", "", about.failure.is_hazard ? "verdict-row open" : "verdict-row bad");
    child(row, "span", (about.failure.time / 1e9).toFixed(6), "when");
    child(row, "span", about.failure.machine > 0 ? machineName(about.failure.machine) : "");
    child(row, "span", `${about.failure.lead}: ${about.failure.sentence}`);
    list.scrollTop = list.scrollHeight;
  }
}

function markRow() {
  for (const row of element("list").children) {
    const isOwn = Number(row.dataset.slot) === focus.selected && row.dataset.slot !== undefined;
    row.setAttribute("aria-selected", String(isOwn));
    if (isOwn) {
      row.scrollIntoView({ block: "nearest" });
    }
  }
}

function setTab(name) {
  listed = name;
  element("tab-matters").setAttribute("aria-selected", String(name === "matters"));
  element("tab-view").setAttribute("aria-selected", String(name === "view"));
  fillList();
}

/* --- the event that was chosen --- */

function sayDetail() {
  const detail = element("detail");
  const slot = focus.selected;
  detail.replaceChildren();
  if (slot < 0) {
    child(detail, "p", "Point at anything to see what it is; click to keep it here. Drag to move, turn the wheel to " +
      "zoom. Keys: + − ← → and 0 for the whole, v for the end, ↑ ↓ through the list.", "soft");
    return;
  }
  child(detail, "p", `${machineName(data.machine[slot])}: ${eventText(slot)}`);
  child(detail, "p", `${timeText(data.time[slot])} · event ${data.number[slot].toLocaleString("en")}`, "soft mono");
  const text = fateText(slot);
  if (text !== "") {
    child(detail, "p", text, "soft");
  }
  const call = lanes.flatMap((lane) => lane.calls).find((one) => one.slot === slot || one.back === slot);
  if (call) {
    child(detail, "p", `${callText(call)}, ${spanText(call.to - call.from)}`, "soft");
  }
  if (data.machine[slot] > 0) {
    const past = child(detail, "button", focus.past ? "show all again" : "dim what it cannot have known", "plain");
    past.onclick = () => showPast(!focus.past);
  }
}

function showPast(isShown) {
  focus.past = isShown && focus.selected >= 0 && data.machine[focus.selected] > 0 ? pastOf(focus.selected) : null;
  sayDetail();
  redraw();
}

function select(slot, isCentred) {
  focus.selected = slot;
  focus.past = focus.past && slot >= 0 && data.machine[slot] > 0 ? pastOf(slot) : null;
  if (isCentred && slot >= 0) {
    const time = data.time[slot];
    const span = view.to - view.from;
    if (time < view.from || time > view.to) {
      look(time - span / 2, time + span / 2);
    }
  }
  sayDetail();
  markRow();
  redraw();
}

/* --- what is pointed at --- */

function showTip(found, x, y) {
  const tip = element("tip");
  tip.hidden = !found;
  if (!found) {
    return;
  }
  tip.replaceChildren();
  child(tip, "span", found.title);
  child(tip, "span", found.rest, "soft");
  const width = tip.offsetWidth;
  const height = tip.offsetHeight;
  tip.style.left = `${Math.min(x + 14, window.innerWidth - width - 8)}px`;
  tip.style.top = `${y + 18 + height > window.innerHeight ? y - height - 10 : y + 18}px`;
}
