-- load.lua -- what wrk sends: arguments USERS REQUEST..., where a request is
-- the text that Calls.pm makes, for random users; more than one are sent in
-- turn. And what wrk reports.
local users
local makers = {}
local turn, count = 0, 0

local function formatted(format)
    return function(user) return string.format(format, user) end
end

-- What stands for each of the words in braces.
local values = {
    id = formatted("3%017d"),
    missing = function(user) return string.format("3%017d", user + users) end,
    number = formatted("%07d"),
    old = formatted("N%09d"),
    new = function()
        count = count + 1
        return string.format("C%09d", count)
    end,
}

-- A function that returns REQUEST for a user: cut into parts once, as this is
-- done for each request that is sent.
local function maker(request)
    local parts, names, slots = {}, {}, {}
    local rest = 1
    for literal, name, after in request:gmatch("(.-){(%l+)}()") do
        parts[#parts + 1] = literal
        parts[#parts + 1] = ""
        if not slots[name] then
            names[#names + 1] = name
            slots[name] = {}
        end
        table.insert(slots[name], #parts)
        rest = after
    end
    parts[#parts + 1] = request:sub(rest)
    return function(user)
        for i = 1, #names do
            local name = names[i]
            local value = values[name](user)
            local places = slots[name]
            for j = 1, #places do parts[places[j]] = value end
        end
        return table.concat(parts)
    end
end

function init(arguments)
    users = tonumber(arguments[1])
    for i = 2, #arguments do makers[i - 1] = maker(arguments[i]) end
    -- Nothing is sent twice, in this run or another.
    local seed = 0
    local random = io.open("/dev/urandom", "rb")
    for byte in random:read(4):gmatch(".") do
        seed = seed * 256 + byte:byte()
    end
    random:close()
    math.randomseed(seed)
    count = seed % 900000000
end

function request()
    turn = turn % #makers + 1
    return makers[turn](math.random(0, users - 1))
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        "figures %d %d %d %d %.1f %.1f %.1f %.1f\n",
        summary.requests, summary.duration, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50), latency:percentile(95),
        latency:percentile(99), latency.max))
end
