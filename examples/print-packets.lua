-- A line for each packet that carries something: when, from where to where, its place in the stream, and what is in it.
--
--     sudo tcplat -i any tcp port 6379 -S examples/print-packets.lua

-- Bytes that a terminal would take for commands, as \NNN.
local function shown(bytes)
  return (bytes:gsub("[^\32-\126]", function(byte)
    return string.format("\\%03d", byte:byte())
  end))
end

function process(packet)
  if packet.size == 0 then
    return
  end
  local time = os.date("%H:%M:%S", packet.tv_sec) .. string.format(".%06d", packet.tv_usec)
  local ends = string.format("%s:%d > %s:%d", packet.sip, packet.sport, packet.dip, packet.dport)
  -- UDP has no sequence number.
  local place = packet.seq and string.format("seq %u, ", packet.seq) or ""
  print(string.format("%s %s %s%d bytes: %s", time, ends, place, packet.size, shown(packet.payload:sub(1, 64))))
end
