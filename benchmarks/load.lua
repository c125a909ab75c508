-- The load of one slice: requests in turn from files, and every answer compared with those that are right.
-- wrk … -s load.lua URL -- FOLDER
--   FOLDER/request1, request2, …   whole requests as they go over the wire
--   FOLDER/answer1, answer2, …     right bodies
-- An answer is right if it is 200 and its body is one of these, numbers within TOLERANCE.
-- The last line that is printed is a JSON object.

local TOLERANCE = 1e-4
local threads = {}

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local bytes = file:read("*a")
  file:close()
  return bytes
end

local function all(folder, name)
  local found = {}
  while true do
    local bytes = read(folder .. "/" .. name .. (#found + 1))
    if not bytes then return found end
    found[#found + 1] = bytes
  end
end

-- A body → its text with # for each number, and the numbers.
local function shape(body)
  local numbers = {}
  local text = body:gsub("%-?%d+%.?%d*[eE]?[%+%-]?%d*", function(digits)
    numbers[#numbers + 1] = tonumber(digits)
    return "#"
  end)
  return text, numbers
end

local function near(mine, right)
  if #mine ~= #right then return false end
  for i = 1, #mine do
    if math.abs(mine[i] - right[i]) > TOLERANCE then return false end
  end
  return true
end

function setup(thread)
  threads[#threads + 1] = thread
end

function init(arguments)
  requests = all(arguments[1], "request")
  right, shapes, turn = {}, {}, 0
  for _, body in ipairs(all(arguments[1], "answer")) do
    local text, numbers = shape(body)
    right[body] = true
    shapes[#shapes + 1] = { text = text, numbers = numbers }
  end
  kept, bad_status, bad_body, example = 0, 0, 0, ""
  if #requests == 0 or #shapes == 0 then error("no requests or no answers in " .. arguments[1]) end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

local function is_right(body)
  if right[body] then return true end
  local text, numbers = shape(body)
  for _, known in ipairs(shapes) do
    if known.text == text and near(numbers, known.numbers) then
      if kept < 10000 then right[body], kept = true, kept + 1 end
      return true
    end
  end
  return false
end

function response(status, headers, body)
  if status ~= 200 then
    bad_status = bad_status + 1
  elseif not is_right(body) then
    bad_body = bad_body + 1
  else
    return
  end
  if example == "" then example = status .. " " .. body:sub(1, 300) end
end

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(c) return string.format("\\u%04x", c:byte()) end) .. '"'
end

function done(summary, latency, requests)
  local statuses, bodies, example = 0, 0, ""
  for _, thread in ipairs(threads) do
    statuses = statuses + thread:get("bad_status")
    bodies = bodies + thread:get("bad_body")
    if example == "" then example = thread:get("example") end
  end
  local errors = summary.errors
  print(string.format(
    '{"requests":%d,"seconds":%.6f,"p50_ms":%.4f,"p90_ms":%.4f,"p99_ms":%.4f,"max_ms":%.4f,'
      .. '"bad_status":%d,"bad_body":%d,"socket_errors":%d,"timeouts":%d,"example":%s}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(90) / 1e3,
    latency:percentile(99) / 1e3, latency.max / 1e3, statuses, bodies,
    errors.connect + errors.read + errors.write, errors.timeout, quoted(example)))
end
