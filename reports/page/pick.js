/* SPDX-License-Identifier: Apache-2.0 */
/* What is under the pointer: an event, or something that lasts. */

const REACH = 7; /* Pixels. */

function laneAt(y) {
  return laneList.find((lane) => y >= lane.top - view.scroll && y < lane.top + lane.height - view.scroll);
}

function distanceTo(line, x, y) {
  const dx = line.x2 - line.x1;
  const dy = line.y2 - line.y1;
  const part = ((x - line.x1) * dx + (y - line.y1) * dy) / (dx * dx + dy * dy || 1);
  const on = Math.max(0, Math.min(1, part));
  return Math.hypot(x - line.x1 - dx * on, y - line.y1 - dy * on);
}

/* The nearest mark of the lane; -1: none is near. */
function pickMark(lane, x, y) {
  let best = REACH + 1;
  let found = -1;
  for (let slot = slotAt(timeOf(x - REACH)), last = slotAt(timeOf(x + REACH)); slot < last; slot++) {
    const row = markOfKind[data.kind[slot]];
    if (data.machine[slot] !== lane.machine || row < 0 || !shown.marks.has(row)) {
      continue;
    }
    const distance = Math.hypot(xOf(data.time[slot]) - x, markY(lane, row) - y);
    if (distance < best) {
      best = distance;
      found = slot;
    }
  }
  return found;
}

function pickMessage(x, y) {
  let best = REACH - 1;
  let found = -1;
  for (const slot of messagesInView() ?? []) {
    const distance = distanceTo(lineOf(slot), x, y);
    if (distance < best) {
      best = distance;
      found = slot;
    }
  }
  return found;
}

function pickSpan(lane, time, y) {
  const holds = (span) => span.from <= time && time <= span.to;
  const during = (span) => `${timeText(span.from)} to ${timeText(span.to)}, ${spanText(span.to - span.from)}`;
  if (lane.calls.length > 0) {
    const row = Math.floor((y - (lane.top - view.scroll) - 7) / 10);
    const slack = ((view.to - view.from) * 3) / size.width;
    const call = lane.calls.findLast((one) => one.row === row && one.from - slack <= time && time <= one.to + slack);
    if (call) {
      return { slot: call.slot, title: callText(call), rest: during(call) };
    }
  }
  const role = lane.roles.find(holds);
  if (role && Math.abs(y - middleOf(lane)) <= 8) {
    return { slot: role.slot, title: `${lane.name}: ${words.roles[role.role]} in term ${role.term}`, rest: during(role) };
  }
  const down = lane.downs.find(holds);
  const pause = lane.pauses.find(holds);
  const cut = lane.cuts.find(holds);
  if (down) {
    return { slot: down.slot, title: `${lane.name} is down: ${eventText(down.slot)}`, rest: during(down) };
  }
  if (pause) {
    return { slot: pause.slot, title: `${lane.name} is paused`, rest: during(pause) };
  }
  return cut ? { slot: -1, title: `${lane.name}: ${cutText(lane, cut.links)}`, rest: during(cut) } : null;
}

function callText(call) {
  const end = call.back < 0 ? "no answer" : eventText(call.back);
  return `${machineName(call.machine)}: ${eventText(call.slot)} → ${end}`;
}

/* {slot, title, rest}, or null. */
function pick(x, y) {
  const lane = x < GUTTER || y < AXIS ? null : laneAt(y);
  if (!lane) {
    return null;
  }
  const mark = pickMark(lane, x, y);
  const message = mark < 0 ? pickMessage(x, y) : -1;
  const slot = mark >= 0 ? mark : message;
  if (slot >= 0) {
    return { slot, title: `${machineName(data.machine[slot])}: ${eventText(slot)}`,
      rest: [timeText(data.time[slot]), fateText(slot)].filter(Boolean).join(" · ") };
  }
  return pickSpan(lane, timeOf(x), y);
}
