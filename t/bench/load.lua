-- load.lua -- what wrk sends: arguments KIND PATH USERS HEADER..., where KIND
-- is "get", "change" (a PUT of a profile unlike any before) or "same" (a PUT of
-- the profile that Users.pm made), of random users; and what wrk reports.
local kind, path, users
local headers = ""
local count = 0

local head = " %s/users/3%017d/profile HTTP/1.1\r\nHost: 127.0.0.1\r\n"
local profile = '{"firstName":"First%07d","lastName":"Last%07d",' ..
    '"nickName":"%s","displayName":"First%07d Last%07d",' ..
    '"preferredLanguage":"en","gender":"GENDER_FEMALE"}'

local function body(user, nick)
    return string.format(profile, user, user, nick, user, user)
end

local function put(user, nick)
    local text = body(user, nick)
    return string.format("PUT" .. head .. "%sContent-Type: application/json" ..
        "\r\nContent-Length: %d\r\n\r\n%s", path, user, headers, #text, text)
end

local make = {
    get = function(user)
        return string.format("GET" .. head .. "%s\r\n", path, user, headers)
    end,
    change = function(user)
        count = count + 1
        return put(user, string.format("C%09d", count))
    end,
    same = function(user)
        return put(user, string.format("N%09d", user))
    end,
}

-- Of every ten: six reads, two changes, one PUT that changes nothing and one
-- read of a user that does not exist.
local turn = 0
make.mixed = function(user)
    turn = turn + 1
    local which = turn % 10
    if which < 6 then return make.get(user) end
    if which < 8 then return make.change(user) end
    if which < 9 then return make.same(user) end
    return make.get(user + users)
end

function init(arguments)
    kind, path, users = arguments[1], arguments[2], tonumber(arguments[3])
    for i = 4, #arguments do
        headers = headers .. arguments[i] .. "\r\n"
    end
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
    return make[kind](math.random(0, users - 1))
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
