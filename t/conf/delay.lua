-- delay.lua -- lets a request wait for as many milliseconds as it asks for.
function fixups(r)
    local delay = tonumber(r.headers_in["x-test-delay"])
    if delay then r.usleep(delay * 1000) end
    return apache2.DECLINED
end
