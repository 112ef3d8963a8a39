/* SPDX-License-Identifier: Apache-2.0 */
/* The whole run in a strip: how much happened, who led, what was broken, and the part
 * that is in view, which can be moved and stretched. */

const MAP_BINS = 1200;
const map = document.getElementById("map");
const mapContext = map.getContext("2d");
const activity = new Float32Array(MAP_BINS);
for (let slot = 0; slot < data.count; slot++) {
  activity[Math.min(MAP_BINS - 1, Math.floor((data.time[slot] / runEnd) * MAP_BINS))]++;
}

function mapX(time) {
  return (time / runEnd) * map.clientWidth;
}

function drawMapSpans(height) {
  const rect = (span, top, tall) => {
    const left = mapX(span.from);
    mapContext.fillRect(left, top, Math.max(1, mapX(span.to) - left), tall);
  };
  const members = lanes.filter((lane) => lane.isMember);
  const tall = Math.max(1, Math.min(3, 14 / Math.max(1, members.length)));
  members.forEach((lane, place) => {
    const top = height - 4 - (members.length - place) * tall;
    mapContext.fillStyle = palette.leader;
    lane.roles.filter((span) => span.role === 2).forEach((span) => rect(span, top, tall));
    mapContext.fillStyle = palette.faults;
    mapContext.globalAlpha = 0.75;
    lane.downs.forEach((span) => rect(span, top, tall));
    mapContext.globalAlpha = 0.35;
    lane.pauses.forEach((span) => rect(span, top, tall));
    lane.cuts.forEach((span) => rect(span, top, tall));
    mapContext.globalAlpha = 1;
  });
  return height - 4 - members.length * tall;
}

function drawMapActivity(base) {
  const most = activity.reduce((a, b) => Math.max(a, b), 1);
  const wide = map.clientWidth / MAP_BINS;
  mapContext.fillStyle = palette.follower;
  activity.forEach((count, bin) => {
    if (count > 0) {
      const height = Math.max(1, Math.sqrt(count / most) * (base - 6));
      mapContext.fillRect(bin * wide, base - height, Math.max(1, wide), height);
    }
  });
}

function drawMap() {
  const ratio = window.devicePixelRatio || 1;
  const width = map.clientWidth;
  const height = map.clientHeight;
  map.width = Math.round(width * ratio);
  map.height = Math.round(height * ratio);
  mapContext.setTransform(ratio, 0, 0, ratio, 0, 0);
  mapContext.fillStyle = palette.raised;
  mapContext.fillRect(0, 0, width, height);
  drawMapActivity(drawMapSpans(height) - 2);
  const failure = about.failure;
  if (failure && failure.time !== undefined) {
    mapContext.fillStyle = failure.is_hazard ? palette.open : palette.bad;
    mapContext.fillRect(Math.min(width - 2, mapX(failure.time) - 1), 0, 2, height);
  }
  const left = mapX(view.from);
  const right = Math.max(left + 3, mapX(view.to));
  mapContext.fillStyle = palette.ground;
  mapContext.globalAlpha = 0.6;
  mapContext.fillRect(0, 0, left, height);
  mapContext.fillRect(right, 0, width - right, height);
  mapContext.globalAlpha = 1;
  mapContext.strokeStyle = palette.select;
  mapContext.lineWidth = 1.5;
  mapContext.strokeRect(left + 0.75, 0.75, Math.max(2, right - left - 1.5), height - 1.5);
}

/* Drag an edge to stretch what is in view, anything else to move it there. */
function startMapDrag(event) {
  const timeAt = (x) => ((x - map.getBoundingClientRect().left) / map.clientWidth) * runEnd;
  const x = event.clientX - map.getBoundingClientRect().left;
  const isFrom = Math.abs(x - mapX(view.from)) < 6;
  const isTo = Math.abs(x - mapX(view.to)) < 6;
  const half = (view.to - view.from) / 2;
  const move = (to) => {
    const time = timeAt(to.clientX);
    if (isTo) {
      look(view.from, Math.max(time, view.from + 1000));
    } else if (isFrom) {
      look(Math.min(time, view.to - 1000), view.to);
    } else {
      look(time - half, time + half);
    }
  };
  map.setPointerCapture(event.pointerId);
  map.onpointermove = move;
  map.onpointerup = () => { map.onpointermove = null; };
  move(event);
}
map.onpointerdown = startMapDrag;
