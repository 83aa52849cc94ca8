-- How long each DNS query waited for its answer (RFC 1035 §4.1), over UDP.
--
--     sudo tcplat -i any udp port 53 -S examples/dns-latency.lua

local TYPES = { [1] = "A", [2] = "NS", [5] = "CNAME", [6] = "SOA", [12] = "PTR", [15] = "MX", [16] = "TXT", [28] = "AAAA", [33] = "SRV", [65] = "HTTPS" }
local CODES = { [0] = "ok", [1] = "FORMERR", [2] = "SERVFAIL", [3] = "NXDOMAIN", [5] = "REFUSED" }
-- A query without an answer is forgotten after this many seconds.
local FORGET_AFTER = 10

local asked, count, sweptAt = {}, 0, 0

local function number(bytes, at)
  local high, low = bytes:byte(at, at + 1)
  return low and bit32.bor(bit32.lshift(high, 8), low)
end

-- The first question: its name, then its type. Returns nil where the message is cut or odd.
local function question(bytes)
  local labels, at = {}, 13
  for _ = 1, 128 do
    local length = bytes:byte(at)
    if length == nil or length > 63 then return nil end
    if length == 0 then
      local kind = number(bytes, at + 1)
      if kind == nil then return nil end
      local name = #labels == 0 and "." or table.concat(labels, ".")
      return name:gsub("[^%w%-._]", "?"), TYPES[kind] or "TYPE" .. kind
    end
    labels[#labels + 1] = bytes:sub(at + 1, at + length)
    at = at + length + 1
  end
end

local function forget(now)
  if now - sweptAt < FORGET_AFTER then return end
  sweptAt = now
  for key, query in pairs(asked) do
    if now - query.sec > FORGET_AFTER then
      asked[key] = nil
      count = count - 1
      print(string.format("%s no answer: %s", query.clock, query.what))
    end
  end
end

function process(packet)
  -- Over TCP a length would stand before the message: this script leaves that out.
  if packet.seq or packet.size < 12 then return end
  local id, flags = number(packet.payload, 1), number(packet.payload, 3)
  local from = packet.sip .. "#" .. packet.sport
  local to = packet.dip .. "#" .. packet.dport
  forget(packet.tv_sec)
  if bit32.btest(flags, 0x8000) then
    local key = to .. " " .. from .. " " .. id
    local query = asked[key]
    if query == nil then return end
    asked[key] = nil
    count = count - 1
    local ms = (packet.tv_sec - query.sec) * 1000 + (packet.tv_usec - query.usec) / 1000
    local code = CODES[bit32.band(flags, 15)] or "code " .. bit32.band(flags, 15)
    print(string.format("%s %.3f ms %s from %s: %s", query.clock, ms, query.what, from, code))
    return
  end
  local name, kind = question(packet.payload)
  if name == nil or count >= 10000 then return end
  local key = from .. " " .. to .. " " .. id
  -- The same question sent again waits since it was first asked.
  if asked[key] then return end
  count = count + 1
  local clock = os.date("%H:%M:%S", packet.tv_sec) .. string.format(".%06d", packet.tv_usec)
  asked[key] = { sec = packet.tv_sec, usec = packet.tv_usec, clock = clock, what = kind .. " " .. name }
end
