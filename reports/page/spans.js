/* SPDX-License-Identifier: Apache-2.0 */
/* What lasts: who was there, in which role, down, paused or cut off, which calls were
 * under way; and what became of each message. Made once, from all events. */

/* What a message is about, for its colour and for the filters. */
const MESSAGES = ["append", "heartbeat", "election", "snapshot", "forward", "client"];
const MARKS = ["faults", "votes", "log", "applied", "leases", "snapshots", "disks"];
const CALL_ROWS = 8;
const FATE = { arrives: 1, lost: 2, missing: 3, underWay: 4 };

const messageClasses = words.messages.map((name) => {
  if (/Vote|TimeoutNow|TransferLeader|Hup|ForgetLeader/.test(name)) {
    return MESSAGES.indexOf("election");
  }
  if (/Heartbeat|Beat|CheckQuorum/.test(name)) {
    return MESSAGES.indexOf("heartbeat");
  }
  if (/Snap/.test(name)) {
    return MESSAGES.indexOf("snapshot");
  }
  return MESSAGES.indexOf(/Prop|ReadIndex/.test(name) ? "forward" : "append");
});
const CLIENTS_WORDS = /^(Hello|Welcome|Ping|Pong|Request|Response|Watch|Goodbye)$/;
const wireClasses = words.wires.map((name) =>
  MESSAGES.indexOf(name === "SnapshotChunk" ? "snapshot" : CLIENTS_WORDS.test(name) ? "client" : "forward"));

/* The row of marks an event belongs to; -1: it is drawn otherwise. */
const markOfKind = about.kinds.map((kind, number) => {
  const drawnOtherwise = ["send", "receive", "send stream", "receive stream", "lose", "refuse frame", "invoke",
    "return", "cut", "heal", "world", "reset", "role"];
  if (drawnOtherwise.includes(kind.text)) {
    return -1;
  }
  if (number === KIND.vote || number === KIND.configuration) {
    return MARKS.indexOf("votes");
  }
  if (number === KIND.snapshot) {
    return MARKS.indexOf("snapshots");
  }
  switch (kind.group) {
    case GROUPS.log:
      return MARKS.indexOf("log");
    case GROUPS.applied:
      return MARKS.indexOf("applied");
    case GROUPS.leases:
      return MARKS.indexOf("leases");
    case GROUPS.disks:
      return MARKS.indexOf("disks");
    default:
      return MARKS.indexOf("faults");
  }
});

const isSend = about.kinds.map((kind, number) => number === KIND.send || number === KIND["send stream"]);
const isReceive = about.kinds.map((kind, number) =>
  number === KIND.receive || number === KIND["receive stream"]);
const runEnd = Math.max(about.end, data.count > 0 ? data.time[data.count - 1] : 0, 1);

/* By event, for it is asked for all of them at each picture. */
const messageClass = new Uint8Array(data.count);
for (let slot = 0; slot < data.count; slot++) {
  const kind = data.kind[slot];
  const isRaft = kind === KIND.send || kind === KIND.receive;
  messageClass[slot] = (isRaft ? messageClasses : wireClasses)[data.b[slot]] ?? 0;
}

/* --- lanes --- */

function newLane(machine) {
  return { machine, name: machineName(machine), isMember: machine > 0 && machine <= about.members_max,
    roles: [], downs: [], pauses: [], cuts: [], calls: [], rows: 0, isHidden: false, top: 0, height: 0,
    began: 0, role: null, down: null, pause: null, cut: null, isCutDirty: false, rowEnds: [] };
}

const laneOf = new Map(); /* By machine. */

function laneFor(machine) {
  let lane = laneOf.get(machine);
  if (!lane) {
    lane = newLane(machine);
    laneOf.set(machine, lane);
  }
  return lane;
}

/* --- one pass over all events --- */

const openCuts = new Map(); /* from * 8192 + to: both. */
const openCalls = new Map(); /* By number. */
let dirtyLanes = [];

function endSpan(lane, name, list, time) {
  if (lane[name]) {
    lane[name].to = time;
    list.push(lane[name]);
    lane[name] = null;
  }
}

function endLife(lane, time) {
  endSpan(lane, "role", lane.roles, time);
  endSpan(lane, "pause", lane.pauses, time);
  endSpan(lane, "down", lane.downs, time);
}

function noteCut(slot, isCut) {
  const from = data.a[slot];
  const to = data.b[slot];
  const key = from * 8192 + to;
  if (isCut) {
    openCuts.set(key, [from, to]);
  } else {
    openCuts.delete(key);
  }
  for (const machine of [from, to]) {
    const lane = laneFor(machine);
    if (!lane.isCutDirty) {
      lane.isCutDirty = true;
      dirtyLanes.push(lane);
    }
  }
}

/* A partition is many cuts at one instant: what is shaded changes once. */
function settleCuts(time) {
  for (const lane of dirtyLanes) {
    endSpan(lane, "cut", lane.cuts, time);
    const links = [...openCuts.values()].filter((link) => link.includes(lane.machine));
    if (links.length > 0) {
      lane.cut = { from: time, links };
    }
    lane.isCutDirty = false;
  }
  dirtyLanes = [];
}

/* Calls that overlap lie below each other, as far as there are rows. */
function noteInvoke(slot) {
  const lane = laneFor(data.machine[slot]);
  const time = data.time[slot];
  let row = lane.rowEnds.findIndex((end) => end <= time);
  if (row < 0) {
    row = Math.min(lane.rowEnds.length, CALL_ROWS - 1);
  }
  lane.rowEnds[row] = Infinity;
  const call = { from: time, to: Infinity, row, slot, back: -1, machine: lane.machine };
  lane.calls.push(call);
  openCalls.set(data.a[slot], call);
}

function noteReturn(slot) {
  const call = openCalls.get(data.a[slot]);
  if (call) {
    call.to = data.time[slot];
    call.back = slot;
    laneFor(call.machine).rowEnds[call.row] = call.to;
    openCalls.delete(data.a[slot]);
  }
}

function noteRole(lane, slot) {
  const time = data.time[slot];
  endSpan(lane, "role", lane.roles, time);
  lane.role = { from: time, role: data.a[slot], term: data.b[slot], slot };
}

function noteEvent(slot) {
  const time = data.time[slot];
  const lane = laneFor(data.machine[slot]);
  switch (data.kind[slot]) {
    case KIND.start:
      lane.began = time;
      endLife(lane, time);
      break;
    case KIND.restart:
      endLife(lane, time);
      break;
    case KIND.crash:
    case KIND["power off"]:
    case KIND.stopped:
      if (!lane.down) {
        endLife(lane, time);
        lane.down = { from: time, slot };
      }
      break;
    case KIND.pause:
      lane.pause = { from: time, slot };
      break;
    case KIND.resume:
      endSpan(lane, "pause", lane.pauses, time);
      break;
    case KIND.role:
      noteRole(lane, slot);
      break;
    case KIND.cut:
    case KIND.heal:
      noteCut(slot, data.kind[slot] === KIND.cut);
      break;
    case KIND.invoke:
      noteInvoke(slot);
      break;
    case KIND.return:
      noteReturn(slot);
      break;
    default:
  }
}

function noteAll() {
  for (let slot = 0; slot < data.count; slot++) {
    if (dirtyLanes.length > 0 && data.time[slot] > data.time[slot - 1]) {
      settleCuts(data.time[slot - 1]);
    }
    noteEvent(slot);
  }
  settleCuts(data.count > 0 ? data.time[data.count - 1] : 0);
  for (const lane of laneOf.values()) {
    endLife(lane, runEnd);
    endSpan(lane, "cut", lane.cuts, runEnd);
    lane.rows = Math.max(1, lane.rowEnds.length);
    for (const call of lane.calls) {
      call.to = Math.min(call.to, runEnd);
    }
  }
}

/* What became of each message, and the longest way one had. Links keep their order, so
 * one that never came, while a later one did, is lost, though no event says so; so is
 * one for a machine that was down, or over a link that was cut. Others wait to the end. */
const fate = new Uint8Array(data.count);
let flightMax = 0;

/* The span that holds a time, of spans in order; undefined: none does. */
function spanAt(spans, time) {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle].to < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < spans.length && spans[low].from <= time ? spans[low] : undefined;
}

function isBarred(slot, time) {
  const to = laneFor(data.a[slot]);
  const cut = spanAt(to.cuts, time);
  const isCut = cut && cut.links.some(([a, b]) => a === data.machine[slot] && b === data.a[slot]);
  return isCut || time < to.began || spanAt(to.downs, time) !== undefined;
}

function tellFates() {
  const arrived = new Set(); /* Links on which a later message came. */
  const missing = [];
  for (let slot = data.count - 1; slot >= 0; slot--) {
    if (!isSend[data.kind[slot]]) {
      continue;
    }
    const link = data.machine[slot] * 8192 + data.a[slot];
    const other = data.peer[slot];
    if (other >= 0 && isReceive[data.kind[other]]) {
      fate[slot] = FATE.arrives;
      flightMax = Math.max(flightMax, data.time[other] - data.time[slot]);
      arrived.add(link);
    } else if (other >= 0) {
      fate[slot] = FATE.lost;
    } else if (arrived.has(link)) {
      fate[slot] = FATE.missing;
    } else {
      fate[slot] = FATE.underWay;
      missing.push(slot);
    }
  }
  const typical = typicalFlight();
  for (const slot of missing) {
    if (isBarred(slot, data.time[slot]) || isBarred(slot, data.time[slot] + typical)) {
      fate[slot] = FATE.missing;
    } else {
      flightMax = Math.max(flightMax, runEnd - data.time[slot]);
    }
  }
  return typical;
}

/* For messages that never came: how far they would have been. */
function typicalFlight() {
  const some = [];
  for (let slot = 0; slot < data.count && some.length < 2001; slot++) {
    if (fate[slot] === FATE.arrives) {
      some.push(data.time[data.peer[slot]] - data.time[slot]);
    }
  }
  some.sort((a, b) => a - b);
  return some.length > 0 ? some[some.length >> 1] : 1e6;
}

noteAll();
const TYPICAL = tellFates();
const lanes = [...laneOf.values()].sort((a, b) => a.machine - b.machine);

/* Of each machine the last event that may have had to do with this one: its own, and
 * those that a chain of messages leads on from (Lamport's happened-before). */
function pastOf(slot) {
  const last = [];
  last[data.machine[slot]] = slot;
  for (let at = slot; at >= 0; at--) {
    const sent = data.peer[at];
    const isReached = last[data.machine[at]] >= at;
    if (isReached && isReceive[data.kind[at]] && sent >= 0) {
      const machine = data.machine[sent];
      last[machine] = Math.max(last[machine] ?? -1, sent);
    }
  }
  return last;
}

/* --- in words --- */

function cutText(lane, links) {
  const deaf = links.filter((link) => link[1] === lane.machine).map((link) => link[0]);
  const mute = links.filter((link) => link[0] === lane.machine).map((link) => link[1]);
  const names = (list) => list.sort((a, b) => a - b).map(machineName).join(" ");
  const both = deaf.filter((machine) => mute.includes(machine));
  const parts = [];
  if (both.length > 0) {
    parts.push(`cut off from ${names(both)}`);
  }
  const onlyDeaf = deaf.filter((machine) => !mute.includes(machine));
  const onlyMute = mute.filter((machine) => !deaf.includes(machine));
  if (onlyDeaf.length > 0) {
    parts.push(`does not hear ${names(onlyDeaf)}`);
  }
  if (onlyMute.length > 0) {
    parts.push(`is not heard by ${names(onlyMute)}`);
  }
  return parts.join(", ");
}

/* 0 to 1: how much of its links to other members a machine has lost. */
function cutShare(lane, links) {
  const members = lanes.filter((other) => other.isMember && other !== lane).length;
  return members === 0 ? 0 : Math.min(1, links.length / (2 * members));
}

function isUnknown(call) {
  return call.back < 0 || data.c[call.back] !== 0;
}

function hasFailed(call) {
  return call.back >= 0 && data.b[call.back] !== 0;
}

/* What became of a message, for who asks about one of its ends. */
function fateText(slot) {
  const sent = isSend[data.kind[slot]] ? slot : data.peer[slot];
  if (sent < 0) {
    return "";
  }
  const other = data.peer[sent];
  const to = machineName(data.a[sent]);
  switch (fate[sent]) {
    case FATE.arrives:
      return `from ${machineName(data.machine[sent])} to ${to}, under way for ` +
        spanText(data.time[other] - data.time[sent]);
    case FATE.lost:
      return data.kind[other] === KIND.lose ? `lost on its way to ${to}` : `refused by ${to}: corrupt`;
    case FATE.missing:
      return `not seen to reach ${to}`;
    default:
      return `under way to ${to} at the end`;
  }
}
