/* SPDX-License-Identifier: Apache-2.0 */
/* The diagram: time to the right, a lane for each machine. Only what is in view is
 * drawn; where that is too much for single messages, how many there were instead. */

const GUTTER = 74; /* Names of lanes. */
const AXIS = 26;
const LINES_MAX = 3000; /* Messages drawn one by one. */
const LABELS_MAX = 60;
const BIN = 4; /* Pixels of a count. */
const EDGE = 7; /* From the middle of a lane to where messages end. */

const canvas = document.getElementById("scene");
const context = canvas.getContext("2d");
const view = { from: 0, to: runEnd, scroll: 0 };
const shown = { messages: new Set(MESSAGES.keys()), marks: new Set(MARKS.keys()) };
const focus = { hover: -1, selected: -1, past: null }; /* Events; of each machine the last in the past. */
const size = { width: 0, height: 0, content: 0 };
let palette = {};
let laneList = []; /* Those that are shown, from the top. */
const laneByMachine = [];
lanes.forEach((lane) => { laneByMachine[lane.machine] = lane; });

function readPalette() {
  const style = getComputedStyle(document.documentElement);
  palette = {};
  for (const name of ["ground", "raised", "ink", "soft", "line", "lane", "good", "bad", "open", "bar", "leader",
    "candidate", "precandidate", "follower", "down", "paused", "cut", "applied", "on", "rolename", "select", ...MESSAGES,
    ...MARKS]) {
    palette[name] = style.getPropertyValue(`--${name}`).trim();
  }
}

/* --- where things are --- */

function xOf(time) {
  return GUTTER + ((time - view.from) * (size.width - GUTTER)) / (view.to - view.from);
}

function timeOf(x) {
  return view.from + ((x - GUTTER) * (view.to - view.from)) / (size.width - GUTTER);
}

function middleOf(lane) {
  return lane.top + lane.height / 2 - view.scroll;
}

function layOut() {
  laneList = lanes.filter((lane) => !lane.isHidden);
  const members = laneList.filter((lane) => lane.isMember);
  const heightOf = (lane) => (lane.machine === 0 ? 28 : Math.max(24, lane.rows * 10 + 12));
  const others = laneList.reduce((sum, lane) => sum + (lane.isMember ? 0 : heightOf(lane)), 0);
  const left = size.height - AXIS - Math.min(others, (size.height - AXIS) / 3);
  const height = Math.max(76, Math.min(170, left / Math.max(1, members.length)));
  let top = AXIS;
  for (const lane of laneList) {
    lane.height = lane.isMember ? height : heightOf(lane);
    lane.top = top;
    top += lane.height;
  }
  size.content = top;
  view.scroll = Math.max(0, Math.min(view.scroll, size.content - size.height));
}

/* Spans in order of time, from the first that reaches into view. */
function* inView(spans) {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle].to < view.from) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  for (; low < spans.length && spans[low].from <= view.to; low++) {
    yield spans[low];
  }
}

/* Left and right edge of a span, not far outside of what is seen. */
function edges(span) {
  const left = Math.max(GUTTER - 2, xOf(span.from));
  return [left, Math.max(left + 1, Math.min(size.width + 2, xOf(span.to)))];
}

/* --- backgrounds --- */

function write(text, x, y, colour, font = "11px system-ui, sans-serif") {
  context.fillStyle = colour;
  context.font = font;
  context.fillText(text, x, y);
}

function drawShades(lane) {
  const top = lane.top - view.scroll;
  for (const [spans, colour] of [[lane.downs, palette.down], [lane.pauses, palette.paused]]) {
    for (const span of inView(spans)) {
      const [left, right] = edges(span);
      context.fillStyle = colour;
      context.fillRect(left, top + 3, right - left, lane.height - 6);
    }
  }
  context.fillStyle = palette.cut;
  for (const cut of inView(lane.cuts)) {
    const [left, right] = edges(cut);
    context.globalAlpha = 0.05 + 0.1 * cutShare(lane, cut.links);
    context.fillRect(left, top + 1, right - left, lane.height - 2);
  }
  context.globalAlpha = 1;
}

/* What the shades mean, where there is room to say it. */
function drawShadeTexts(lane) {
  const top = lane.top - view.scroll;
  const small = "10.5px system-ui, sans-serif";
  for (const [spans, text] of [[lane.downs, "down"], [lane.pauses, "paused"]]) {
    for (const span of inView(spans)) {
      const [left, right] = edges(span);
      if (right - left > 46 && lane.isMember) {
        write(text, left + 6, top + 16, palette.soft);
      }
    }
  }
  for (const cut of inView(lane.cuts)) {
    const [left, right] = edges(cut);
    const text = cutText(lane, cut.links);
    context.font = small;
    if (lane.isMember && right - left > 60 && context.measureText(text).width < right - left - 10) {
      write(text, left + 6, top + lane.height - 7, palette.bad, small);
    }
  }
}

/* Before this not all events are here. */
const wholeFrom = about.left_out > 0 ? data.time[data.number.findIndex((number) => number > about.left_out)] : 0;

function drawGap() {
  const right = xOf(wholeFrom);
  if (wholeFrom > 0 && right > GUTTER) {
    context.globalAlpha = 0.35;
    context.fillStyle = palette.line;
    context.fillRect(GUTTER, AXIS, right - GUTTER, size.height);
    context.globalAlpha = 1;
  }
}

function drawLaneLine(lane) {
  const y = Math.round(middleOf(lane)) + 0.5;
  context.strokeStyle = palette.lane;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(GUTTER, y);
  context.lineTo(size.width, y);
  context.stroke();
}

/* --- what lasts --- */

const ROLE_COLOURS = ["follower", "candidate", "leader", "precandidate"];

function drawRoles(lane) {
  const y = middleOf(lane);
  for (const span of inView(lane.roles)) {
    const [left, right] = edges(span);
    const height = span.role === 0 ? 12 : 14;
    context.fillStyle = palette[ROLE_COLOURS[span.role] ?? "follower"];
    context.fillRect(left, y - height / 2, right - left, height);
    const text = `${words.roles[span.role] ?? "?"} · term ${span.term}`;
    const font = `${span.role === 0 ? "" : "600 "}10.5px system-ui, sans-serif`;
    context.font = font;
    if (right - left > 60 && context.measureText(text).width < right - left - 10) {
      const isDark = span.role === 1 || span.role === 2;
      write(text, left + 6, y + 4, isDark ? palette.on : palette.rolename, font);
    }
  }
}

function drawCalls(lane) {
  const lastX = [];
  for (const call of lane.calls) {
    if (call.to < view.from || call.from > view.to) {
      continue;
    }
    const [left, right] = edges(call);
    if (right - left < 2 && lastX[call.row] === Math.round(left)) {
      continue;
    }
    lastX[call.row] = Math.round(left);
    const y = lane.top - view.scroll + 8 + call.row * 10;
    context.fillStyle = hasFailed(call) ? palette.open : palette.bar;
    context.globalAlpha = isUnknown(call) ? 0.28 : 0.85;
    context.fillRect(left, y, Math.max(1.5, right - left - 0.5), 7);
    context.globalAlpha = 1;
    if (isUnknown(call) && right - left > 3) {
      context.strokeStyle = hasFailed(call) ? palette.open : palette.bar;
      context.lineWidth = 1;
      context.strokeRect(left + 0.5, y + 0.5, right - left - 1, 6);
    }
  }
}

/* --- messages --- */

/* The sends whose lines may cross the view, also those begun before it; null: too many. */
function messagesInView() {
  const first = Math.max(slotAt(view.from - flightMax), slotAt(view.from) - 50000);
  const last = slotAt(view.to);
  const found = [];
  for (let slot = first; slot < last; slot++) {
    if (isSend[data.kind[slot]] && isShownMessage(slot) && landing(slot) >= view.from) {
      if (found.length === LINES_MAX) {
        return null;
      }
      found.push(slot);
    }
  }
  return found;
}

function isShownMessage(slot) {
  if (!shown.messages.has(messageClass[slot])) {
    return false;
  }
  const from = laneByMachine[data.machine[slot]];
  const to = laneByMachine[data.a[slot]];
  return from && to && !from.isHidden && !to.isHidden;
}

/* When it arrived, or would have. */
function landing(slot) {
  if (fate[slot] === FATE.arrives) {
    return data.time[data.peer[slot]];
  }
  return fate[slot] === FATE.underWay ? runEnd : data.time[slot] + TYPICAL;
}

/* Both ends of a message's line; a lost one ends on its way. */
function lineOf(slot) {
  const from = laneOf.get(data.machine[slot]);
  const to = laneOf.get(data.a[slot]);
  const way = Math.sign(to.top - from.top);
  const line = { x1: xOf(data.time[slot]), y1: middleOf(from) + way * EDGE, x2: xOf(landing(slot)),
    y2: middleOf(to) - way * EDGE };
  if (fate[slot] === FATE.lost) {
    line.x2 = line.x1 + (line.x2 - line.x1) * 0.4;
    line.y2 = line.y1 + (line.y2 - line.y1) * 0.4;
  }
  return line;
}

function strokeLine(line) {
  context.moveTo(line.x1, line.y1);
  context.lineTo(line.x2, line.y2);
}

function drawHead(line) {
  const length = Math.hypot(line.x2 - line.x1, line.y2 - line.y1) || 1;
  const dx = (line.x2 - line.x1) / length;
  const dy = (line.y2 - line.y1) / length;
  context.moveTo(line.x2, line.y2);
  context.lineTo(line.x2 - dx * 7 - dy * 2.6, line.y2 - dy * 7 + dx * 2.6);
  context.lineTo(line.x2 - dx * 7 + dy * 2.6, line.y2 - dy * 7 - dx * 2.6);
}

function drawCross(x, y, reach) {
  context.moveTo(x - reach, y - reach);
  context.lineTo(x + reach, y + reach);
  context.moveTo(x - reach, y + reach);
  context.lineTo(x + reach, y - reach);
}

function drawLines(slots) {
  const isSparse = slots.length < 700;
  for (const [number, name] of MESSAGES.entries()) {
    const own = slots.filter((slot) => messageClass[slot] === number);
    context.strokeStyle = palette[name];
    context.fillStyle = palette[name];
    context.lineWidth = 1;
    context.globalAlpha = isSparse ? 0.85 : 0.45;
    for (const isWhole of [true, false]) {
      context.setLineDash(isWhole ? [] : [4, 3]);
      context.beginPath();
      own.filter((slot) => (fate[slot] === FATE.arrives) === isWhole).forEach((slot) => strokeLine(lineOf(slot)));
      context.stroke();
    }
    context.setLineDash([]);
    if (isSparse) {
      context.beginPath();
      own.filter((slot) => fate[slot] === FATE.arrives).forEach((slot) => drawHead(lineOf(slot)));
      context.fill();
    }
  }
  context.globalAlpha = 1;
  context.strokeStyle = palette.bad;
  context.lineWidth = 1.4;
  context.beginPath();
  for (const slot of slots) {
    if (fate[slot] === FATE.lost || fate[slot] === FATE.missing) {
      const line = lineOf(slot);
      drawCross(line.x2, line.y2, isSparse ? 3.2 : 2);
    }
  }
  context.stroke();
  if (slots.length < LABELS_MAX) {
    drawLabels(slots);
  }
}

function drawLabels(slots) {
  for (const slot of slots) {
    const line = lineOf(slot);
    if (Math.abs(line.x2 - line.x1) < 50) {
      continue; /* Too steep: names would lie on each other. */
    }
    const isRaft = data.kind[slot] === KIND.send;
    const name = isRaft ? words.messages[data.b[slot]].replace(/^Msg/, "") : words.wires[data.b[slot]];
    context.textAlign = "center";
    write(name, line.x1 + (line.x2 - line.x1) * 0.35, line.y1 + (line.y2 - line.y1) * 0.35 - 3,
      palette[MESSAGES[messageClass[slot]]], "10px system-ui, sans-serif");
    context.textAlign = "left";
  }
}

/* How many messages each machine sent, and how many of them were lost: below its bar. */
function drawCounts() {
  const bins = Math.ceil((size.width - GUTTER) / BIN) + 1;
  const sent = [];
  laneList.forEach((lane) => { sent[lane.machine] = [new Uint32Array(bins), new Uint32Array(bins)]; });
  let most = 1;
  for (let slot = slotAt(view.from), last = slotAt(view.to); slot < last; slot++) {
    if (isSend[data.kind[slot]] && isShownMessage(slot)) {
      const bin = Math.floor((xOf(data.time[slot]) - GUTTER) / BIN);
      const [all, lost] = sent[data.machine[slot]];
      most = Math.max(most, ++all[bin]);
      lost[bin] += fate[slot] === FATE.lost || fate[slot] === FATE.missing ? 1 : 0;
    }
  }
  for (const lane of laneList) {
    const room = lane.isMember ? lane.height * 0.32 : lane.height * 0.4;
    const base = lane.isMember ? middleOf(lane) - EDGE - 1 : lane.top - view.scroll + lane.height - 1;
    const [all, lost] = sent[lane.machine];
    for (const [counts, colour, alpha] of [[all, palette.append, 0.4], [lost, palette.bad, 0.75]]) {
      context.fillStyle = colour;
      context.globalAlpha = alpha;
      counts.forEach((count, bin) => {
        if (count > 0) {
          const height = Math.max(1.5, Math.sqrt(count / most) * room);
          context.fillRect(GUTTER + bin * BIN, base - height, BIN - 1, height);
        }
      });
    }
    context.globalAlpha = 1;
  }
}

/* --- marks --- */

/* Distance from the middle of a member's lane, by row of marks. */
const MARK_OFFSETS = { faults: -20, votes: -13, snapshots: -13, log: 12, applied: 19, leases: 26, disks: 31 };

function markY(lane, row) {
  const middle = middleOf(lane);
  return lane.isMember ? middle + MARK_OFFSETS[MARKS[row]] : middle;
}

/* The colour of each kind's marks, by its name in the palette. */
const markColours = about.kinds.map((kind, number) => {
  if (number === KIND.commit) {
    return "good";
  }
  if (number === KIND.truncate || number === KIND["lease expired"]) {
    return "bad";
  }
  if (kind.group === GROUPS.starts || number === KIND.resume || number === KIND.restart) {
    return "bar";
  }
  return number === KIND.note ? "ink" : MARKS[markOfKind[number]];
});

function drawMark(name, x, y) {
  if (name === "log" || name === "applied" || name === "disks") {
    context.fillRect(x - 0.75, y - 3, 1.5, 6); /* By far the most: no path for them. */
    return;
  }
  context.beginPath();
  if (name === "faults") {
    context.moveTo(x - 4.5, y - 4);
    context.lineTo(x + 4.5, y - 4);
    context.lineTo(x, y + 4);
  } else if (name === "votes") {
    context.moveTo(x, y - 4);
    context.lineTo(x + 4, y);
    context.lineTo(x, y + 4);
    context.lineTo(x - 4, y);
  } else if (name === "snapshots") {
    context.rect(x - 3.5, y - 3.5, 7, 7);
  } else {
    context.arc(x, y, 2.2, 0, 7);
  }
  context.fill();
}

/* Of a machine's marks of one kind only one at each place. */
function drawMarks() {
  const kinds = about.kinds.length;
  const lastPlace = new Int32Array(laneByMachine.length * kinds).fill(-1);
  let lastKind = -1;
  for (let slot = slotAt(view.from), last = slotAt(view.to + 1); slot < last; slot++) {
    const kind = data.kind[slot];
    const row = markOfKind[kind];
    if (row < 0 || !shown.marks.has(row)) {
      continue;
    }
    const lane = laneByMachine[data.machine[slot]];
    const x = xOf(data.time[slot]);
    const place = Math.round(x / 2);
    const key = data.machine[slot] * kinds + kind;
    if (lane.isHidden || lastPlace[key] === place) {
      continue;
    }
    lastPlace[key] = place;
    if (kind !== lastKind) {
      context.fillStyle = palette[markColours[kind]];
      lastKind = kind;
    }
    drawMark(MARKS[row], x, markY(lane, row));
  }
  drawNotes();
}

/* The scenario's own words, where they do not run into each other. */
function drawNotes() {
  const lane = laneOf.get(0);
  if (!lane || lane.isHidden || !shown.marks.has(MARKS.indexOf("faults"))) {
    return;
  }
  let free = GUTTER;
  for (const slot of noteSlots) {
    const x = xOf(data.time[slot]);
    if (x >= free && x < size.width) {
      const text = eventText(slot).replace(/^note: /, "");
      write(text, x + 7, middleOf(lane) + 4, palette.ink);
      free = x + 14 + context.measureText(text).width;
    }
  }
}

const noteSlots = [];
for (let slot = 0; slot < data.count; slot++) {
  if (data.kind[slot] === KIND.note) {
    noteSlots.push(slot);
  }
}

/* --- the frame --- */

/* A step of 1, 2 or 5 times a power of ten ns, for a label every 110 pixels. */
function axisStep(span, width) {
  const least = (span * 110) / Math.max(1, width);
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  return power * [1, 2, 5, 10].find((factor) => power * factor >= least);
}

function drawAxis() {
  const step = axisStep(view.to - view.from, size.width - GUTTER);
  const digits = Math.max(0, 9 - Math.floor(Math.log10(step) + 1e-9));
  context.fillStyle = palette.ground;
  context.fillRect(0, 0, size.width, AXIS);
  for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step) {
    const x = xOf(time);
    context.strokeStyle = palette.line;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, AXIS - 6);
    context.lineTo(x, AXIS);
    context.stroke();
    write(timeText(time, Math.min(9, digits)), x + 4, AXIS - 9, palette.soft);
  }
}

function drawGrid() {
  const step = axisStep(view.to - view.from, size.width - GUTTER);
  context.strokeStyle = palette.line;
  context.lineWidth = 1;
  context.globalAlpha = 0.6;
  context.beginPath();
  for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step) {
    const x = Math.round(xOf(time)) + 0.5;
    context.moveTo(x, AXIS);
    context.lineTo(x, size.height);
  }
  context.stroke();
  context.globalAlpha = 1;
}

function drawGutter() {
  context.fillStyle = palette.ground;
  context.fillRect(0, AXIS, GUTTER, size.height);
  context.strokeStyle = palette.line;
  context.beginPath();
  for (const lane of laneList) {
    const y = Math.round(lane.top + lane.height - view.scroll) + 0.5;
    context.moveTo(0, y);
    context.lineTo(size.width, y);
  }
  context.moveTo(GUTTER + 0.5, AXIS);
  context.lineTo(GUTTER + 0.5, size.height);
  context.stroke();
  for (const lane of laneList) {
    const font = `${lane.isMember ? "600 13" : "11"}px ui-monospace, monospace`;
    const low = Math.max(AXIS + 14, lane.top - view.scroll + 14);
    const high = Math.max(low, Math.min(size.height - 8, lane.top + lane.height - view.scroll - 6));
    write(lane.name, 16, Math.max(low, Math.min(high, middleOf(lane) + 4)), lane.isMember ? palette.ink : palette.soft, font);
  }
}

function drawVerdict() {
  const failure = about.failure;
  if (!failure || failure.time === undefined) {
    return;
  }
  const x = xOf(failure.time);
  if (x < GUTTER || x > size.width) {
    return;
  }
  const colour = failure.is_hazard ? palette.open : palette.bad;
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(x, AXIS - 4);
  context.lineTo(x, size.height);
  context.stroke();
  context.font = "600 11px system-ui, sans-serif";
  const width = context.measureText(failure.lead).width + 12;
  const left = Math.min(x, size.width - width);
  context.fillStyle = colour;
  context.fillRect(left, 3, width, 17);
  write(failure.lead, left + 6, 15, palette.on, "600 11px system-ui, sans-serif");
  const lane = laneOf.get(failure.machine);
  if (failure.machine > 0 && lane && !lane.isHidden) {
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x, middleOf(lane), 12, 0, 7);
    context.stroke();
  }
}

/* What is pointed at, and what was chosen: its message drawn bold, or a ring around it. */
function drawFocus(slot, width) {
  const lane = slot < 0 ? null : laneOf.get(data.machine[slot]);
  if (!lane || lane.isHidden) {
    return;
  }
  const sent = isSend[data.kind[slot]] ? slot : data.peer[slot];
  context.strokeStyle = palette.select;
  context.lineWidth = width;
  context.beginPath();
  if (sent >= 0 && isSend[data.kind[sent]] && isShownMessage(sent)) {
    strokeLine(lineOf(sent));
  } else {
    const row = markOfKind[data.kind[slot]];
    context.arc(xOf(data.time[slot]), row < 0 ? middleOf(lane) : markY(lane, row), 8, 0, 7);
  }
  context.stroke();
}

/* What the chosen event cannot have known of is dimmed: in each lane, all that came
 * after the last of it that reached the event through messages. */
function drawPast() {
  if (!focus.past) {
    return;
  }
  context.fillStyle = palette.ground;
  for (const lane of laneList) {
    const slot = focus.past[lane.machine];
    const left = Math.max(GUTTER, slot === undefined ? GUTTER : xOf(data.time[slot]));
    if (lane.machine > 0 && left < size.width) {
      context.globalAlpha = 0.72;
      context.fillRect(left, lane.top - view.scroll + 1, size.width - left, lane.height - 1);
      context.globalAlpha = 1;
    }
  }
}

function draw() {
  const ratio = window.devicePixelRatio || 1;
  size.width = canvas.clientWidth;
  size.height = canvas.clientHeight;
  canvas.width = Math.round(size.width * ratio);
  canvas.height = Math.round(size.height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  layOut();
  context.fillStyle = palette.ground;
  context.fillRect(0, 0, size.width, size.height);
  drawGap();
  laneList.forEach(drawShades);
  drawGrid();
  laneList.forEach(drawLaneLine);
  laneList.forEach(drawCalls);
  const messages = messagesInView();
  if (messages) {
    drawLines(messages);
  } else {
    drawCounts();
  }
  laneList.forEach(drawShadeTexts);
  laneList.forEach(drawRoles);
  drawMarks();
  drawPast();
  drawFocus(focus.selected, 2.5);
  drawFocus(focus.hover, 2);
  drawGutter();
  drawAxis();
  drawVerdict();
}
