-- What the scenarios of this folder share. `require "common"`.
local common = {}

local H, E = 100*ms, 1*s
common.H, common.E = H, E
common.REQUEST_TIMEOUT = 5*s + 2*E -- etcd's: how long a member works on a request

-- The load that every claim is proven under unless it says otherwise.
function common.load(c, options)
  options = options or {}
  return c:load {
    clients = options.clients or 8,
    rate = options.rate or 200,
    mix = options.mix or { put = 1, get = 1 },
    endpoints = options.endpoints,
  }
end

-- Take a member away in one of the ways a machine can go, and bring it back.
function common.fail(c, m, how)
  if how == "crash" then m:crash()
  elseif how == "power" then m:power_off()
  elseif how == "pause" then m:pause()
  else c:isolate(m) end
end

function common.restore(c, m, how)
  if how == "crash" or how == "power" then m:restart()
  elseif how == "pause" then m:resume()
  else c:heal() end
end

-- Everybody who is not in `group`.
function common.others(c, group)
  local is_in, rest = {}, {}
  for _, m in ipairs(group) do is_in[m] = true end
  for _, m in ipairs(c:members()) do
    if not is_in[m] then rest[#rest + 1] = m end
  end
  return rest
end

-- What a member's timer allows: when each last heard from its leader, and the least
-- time any of them waited before it stood for election.
function common.watch_timers()
  local heard, least = {}, nil
  local function hear(m) heard[m] = now() end
  at("receive MsgHeartbeat", {}, hear)
  at("receive MsgApp", {}, hear)
  at("role:pre-candidate", {}, function(m)
    if heard[m] and (not least or now() - heard[m] < least) then least = now() - heard[m] end
  end)
  return {
    least = function() return least end,
    last_heard = function(except)
      local last = 0
      for m, when_ in pairs(heard) do
        if m ~= except then last = math.max(last, when_) end
      end
      return last
    end,
  }
end

return common
