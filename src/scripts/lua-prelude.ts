/** Instructions of one call of a script, after which it is ended: some tens of milliseconds. */
const CALL_INSTRUCTIONS = 10_000_000;
/** A batch of packets is interrupted, to hand over what was printed, beyond so many bytes or seconds. */
const PRINTED_BYTES = 262_144;
const RUN_SECONDS = 0.1;
/** Different errors told of one such run. */
const ERRORS_TOLD = 8;

/** What a packet has before its addresses and payload: `PacketBatch` writes it, the prelude's `unpacked` reads it. */
export const PACKET_HEADER_BYTES = 28;

/**
 * The Lua side: what a script may use, and the loop that calls its `process`. Returns two functions:
 *
 *     open(source, name)   loads a script; returns what it printed, and the error or ""
 *     run(batch)           calls process for each packet of a batch ("": for those left over of the last one);
 *                          returns what was printed, "number end,…" (which packet printed it, where in the text it
 *                          ends), "count<tab>message\n…" of the errors, how many packets were done, and "1" if all are
 *
 * A budget counts the instructions of a call (debug.sethook); beyond it every further instruction is an error, so that no
 * pcall of the script's can hold it up. What runs outside of Lua's own instructions, such as a pattern that never ends, is
 * ended with the whole thread (scripts.ts).
 */
export const LUA_PRELUDE = String.raw`
local byte, sub, gsub, match = string.byte, string.sub, string.gsub, string.match
local concat, pack, sort = table.concat, table.pack, table.sort
local sethook, getinfo, clock = debug.sethook, debug.getinfo, os.clock
local create, resume, running, date = coroutine.create, coroutine.resume, coroutine.running, os.date
local error, load, pairs, tonumber, tostring, type, xpcall = error, load, pairs, tonumber, tostring, type, xpcall
local collect, globals, main = collectgarbage, _G, running()
local safe = { clock = os.clock, difftime = os.difftime, time = os.time }

-- What a script may use: nothing that reaches files, programs, this program's own state, or the loop below.

local allowed = {}
for name in string.gmatch([[
  _G _VERSION assert bit32 coroutine error getmetatable ipairs math next pairs pcall rawequal rawget rawlen rawset select
  setmetatable string table tonumber tostring type unpack xpcall
]], "%S+") do allowed[name] = true end
for name in pairs(globals) do
  if not allowed[name] then globals[name] = nil end
end
string.dump = nil
os = safe
unpack = unpack or table.unpack
math.log10 = math.log10 or function(x) return math.log(x, 10) end
table.getn = table.getn or function(t) return #t end
table.maxn = table.maxn or function(t)
  local most = 0
  for key in pairs(t) do
    if type(key) == "number" and key > most then most = key end
  end
  return most
end

function globals.load(chunk, name, _, env)
  if env == nil then env = globals end
  return load(chunk, name, "t", env)
end
globals.loadstring = globals.load

function collectgarbage(what, value)
  if what == nil or what == "collect" or what == "count" or what == "step" then return collect(what or "collect", value) end
  return 0
end

-- A second is asked for many times over, and costs ten times what the rest of a printed packet does.
local dateFormat, dateTime, dateText
function os.date(format, time)
  if time ~= nil and time == dateTime and format == dateFormat then return dateText end
  local text = date(format, time)
  if time ~= nil and type(text) == "string" then dateFormat, dateTime, dateText = format, time, text end
  return text
end

-- print

local printed, lines, bytes = {}, 0, 0
function print(...)
  local words = pack(...)
  for i = 1, words.n do words[i] = tostring(words[i]) end
  local line = concat(words, "\t") .. "\n"
  lines = lines + 1
  printed[lines] = line
  bytes = bytes + #line
end
local function taken()
  local text = concat(printed)
  printed, lines, bytes = {}, 0, 0
  return text
end

-- The budget, which each coroutine gets anew whenever it is resumed.

local fileName = ""
local function stop()
  sethook(stop, "", 1)
  sethook(main, stop, "", 1)
  error("the call was ended after ${CALL_INSTRUCTIONS} instructions", 2)
end
function coroutine.resume(thread, ...)
  if type(thread) == "thread" then sethook(thread, stop, "", ${CALL_INSTRUCTIONS}) end
  return resume(thread, ...)
end
local function passed(ok, ...)
  if ok then return ... end
  error((...), 0)
end
function coroutine.wrap(body)
  local thread = create(body)
  return function(...) return passed(coroutine.resume(thread, ...)) end
end

-- Errors: each with the file and the line, also where the script threw something that says nothing of them.

local function place()
  for level = 3, 12 do
    local info = getinfo(level, "Sl")
    if info == nil then break end
    if info.currentline > 0 and info.source ~= "=tcplat" then return info.short_src .. ":" .. info.currentline .. ": " end
  end
  return ""
end
local function told(message)
  sethook()
  if type(message) ~= "string" and type(message) ~= "number" then
    return place() .. "(the error is a " .. type(message) .. ")"
  end
  local text = tostring(message)
  local own = match(text, "^tcplat:%d+: (.*)$")
  if own then return place() .. own end
  if match(text, "^[^\n]-:%d+: ") then return text end
  return place() .. text
end
local function called(f, packet)
  sethook(stop, "", ${CALL_INSTRUCTIONS})
  local ok, message = xpcall(f, told, packet)
  sethook()
  if ok then return nil end
  -- Out of memory, Lua asks nobody what to say.
  if message == "not enough memory" then return fileName .. ": not enough memory: a script has 64 MiB" end
  return tostring(message)
end

local function open(source, name)
  fileName = name
  local chunk, message = load(source, "@" .. name, "t")
  if chunk ~= nil then message = called(chunk) end
  if message == nil and type(globals.process) ~= "function" then
    message = name .. ": no function process(packet), which is what is called for each packet"
  end
  return taken(), message or ""
end

-- Packets

local function unpacked(batch, at)
  local s1, s2, s3, s4, u1, u2, u3, sp1, sp2, dp1, dp2, q1, q2, q3, q4, a1, a2, a3, a4, tcp, flags, w1, w2, n1, n2, n3, sl, dl =
    byte(batch, at, at + ${PACKET_HEADER_BYTES - 1})
  local sip = at + ${PACKET_HEADER_BYTES}
  local dip = sip + sl
  local payload = dip + dl
  local size = (n1 * 256 + n2) * 256 + n3
  local packet = {
    tv_sec = ((s1 * 256 + s2) * 256 + s3) * 256 + s4,
    tv_usec = (u1 * 256 + u2) * 256 + u3,
    sip = sub(batch, sip, dip - 1),
    sport = sp1 * 256 + sp2,
    dip = sub(batch, dip, payload - 1),
    dport = dp1 * 256 + dp2,
    payload = sub(batch, payload, payload + size - 1),
    size = size,
  }
  if tcp == 1 then
    packet.seq = ((q1 * 256 + q2) * 256 + q3) * 256 + q4
    packet.ack = ((a1 * 256 + a2) * 256 + a3) * 256 + a4
    packet.flags = flags
    packet.window = w1 * 256 + w2
  end
  return packet, payload + size
end

local batch, at, number = "", 1, 0
local function run(given)
  sethook()
  if given ~= "" then batch, at, number = given, 1, 0 end
  local marks, errors, kinds, done, began = {}, {}, 0, 0, clock()
  while at <= #batch do
    local packet, next = unpacked(batch, at)
    at, number, done = next, number + 1, done + 1
    local before = bytes
    local message
    local process = globals.process
    if type(process) == "function" then message = called(process, packet)
    else message = fileName .. ": process is no function any more" end
    if message ~= nil then
      message = gsub(sub(message, 1, 400), "%c", " ")
      if errors[message] == nil then
        if kinds == ${ERRORS_TOLD} then message = "other errors" else kinds = kinds + 1 end
      end
      errors[message] = (errors[message] or 0) + 1
    end
    if bytes > before then marks[#marks + 1] = number .. " " .. bytes end
    if bytes > ${PRINTED_BYTES} or clock() - began > ${RUN_SECONDS} then break end
  end
  local failed = {}
  for message, count in pairs(errors) do failed[#failed + 1] = count .. "\t" .. message end
  sort(failed)
  local isDone = at > #batch
  if isDone then batch, at = "", 1 end
  return taken(), concat(marks, ","), concat(failed, "\n"), tostring(done), isDone and "1" or ""
end

return open, run
`;
