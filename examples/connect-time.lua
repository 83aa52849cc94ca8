-- How long each TCP connection took to be made, seen from where tcplat stands, and how often its SYN was sent again.
--
--     sudo tcplat -i any tcp port 6379 -S examples/connect-time.lua

local FIN, SYN, RST, ACK = 1, 2, 4, 16
local MOST = 10000

local opening, count = {}, 0

local function drop(key)
  if opening[key] then
    opening[key] = nil
    count = count - 1
  end
end

local function tell(first, packet, ends, outcome)
  local ms = (packet.tv_sec - first.sec) * 1000 + (packet.tv_usec - first.usec) / 1000
  local again = first.again == 0 and "" or string.format(", SYN sent %d times", first.again + 1)
  print(string.format("%s.%06d %s %s %.3f ms%s",
    os.date("%H:%M:%S", packet.tv_sec), packet.tv_usec, ends, outcome, ms, again))
end

function process(packet)
  local flags = packet.flags
  if flags == nil then return end
  local from = packet.sip .. ":" .. packet.sport
  local to = packet.dip .. ":" .. packet.dport
  local there, back = from .. " => " .. to, to .. " => " .. from
  if flags == SYN then
    local first = opening[there]
    if first and first.seq == packet.seq then
      first.again = first.again + 1
    elseif count < MOST then
      drop(there)
      count = count + 1
      opening[there] = { seq = packet.seq, again = 0, sec = packet.tv_sec, usec = packet.tv_usec }
    end
  elseif opening[back] and flags == SYN + ACK then
    tell(opening[back], packet, back, "connected in")
    drop(back)
  elseif opening[back] and bit32.btest(flags, RST) then
    tell(opening[back], packet, back, "refused after")
    drop(back)
  elseif bit32.btest(flags, FIN) then
    drop(there)
  end
end
