-- Copyright: (c) 2026, Mainstay maintainers
-- GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Open requests by member, and figures by service and release. Counting is done in tables of the
-- worker and published by a timer, because a write to shared memory per request would cost more
-- than the choice itself.

local cjson = require "cjson.safe"

local ceil, log = math.ceil, math.log
local shared = ngx.shared.mainstay_edge
local totals = ngx.shared.mainstay_figures

local M = {}

-- Upper ends of the latency buckets in seconds, each a quarter above the one before.
local BOUNDS = {}
do
    local bound = 0.001
    while bound < 120 do
        BOUNDS[#BOUNDS + 1] = bound
        bound = bound * 1.25
    end
end
local BUCKETS, STEP = #BOUNDS, log(1.25)
-- A release that left the document may still have requests open: its figures are published for
-- this many changes more.
local LINGER = 16
M.BOUNDS = BOUNDS

local gauges = {} -- address -> {open, used}
local figures = {} -- service \0 release -> {requests, failed, buckets, used}
local published = "" -- what this worker last wrote about itself
local identity -- key of this worker in the shared dictionary

local function process_start(pid)
    local handle = io.open("/proc/" .. pid .. "/stat")
    if not handle then
        return nil
    end
    local text = handle:read("*a")
    handle:close()
    -- Field 22 of the file; the name in field 2 may hold blanks, so count after its bracket.
    local position, rest = 2, text:match("^.*%)%s(.*)$")
    for field in (rest or ""):gmatch("%S+") do
        position = position + 1
        if position == 22 then
            return field
        end
    end
end

-- The counter of open requests of a member. Members hold it directly, so that counting needs no
-- lookup; C(generation) says which document uses it.
function M.gauge(address, generation)
    local gauge = gauges[address]
    if not gauge then
        gauge = { open = 0 }
        gauges[address] = gauge
    end
    gauge.used = generation
    return gauge
end

local function empty_buckets()
    local buckets = {}
    for index = 1, BUCKETS do
        buckets[index] = 0
    end
    return buckets
end

-- The figures of one release of a service that this worker has not published yet.
function M.figure(service, release, generation)
    local key = service .. "\0" .. release
    local figure = figures[key]
    if not figure then
        figure = { requests = 0, failed = 0, buckets = empty_buckets() }
        figures[key] = figure
    end
    figure.used = generation
    return figure
end

-- One answered request. C(seconds), when given, stands for C(weight) requests.
function M.record(figure, failed, seconds, weight)
    figure.requests = figure.requests + 1
    if failed then
        figure.failed = figure.failed + 1
    end
    if seconds then
        local bucket = 1
        if seconds > 0.001 then
            bucket = ceil(log(seconds * 1000) / STEP - 1e-9) + 1
        end
        if bucket > BUCKETS then
            bucket = BUCKETS
        end
        figure.buckets[bucket] = figure.buckets[bucket] + weight
    end
end

local function publish_figure(key, figure)
    totals:incr(key .. "\0requests", figure.requests, 0)
    if figure.failed > 0 then
        totals:incr(key .. "\0failed", figure.failed, 0)
    end
    for bucket = 1, BUCKETS do
        local count = figure.buckets[bucket]
        if count > 0 then
            totals:incr(key .. "\0" .. bucket, count, 0)
            figure.buckets[bucket] = 0
        end
    end
    figure.requests, figure.failed = 0, 0
end

-- What a drain relies on: at the moment of this write the worker chooses by C(seen) and has
-- exactly these requests open. Both are taken in one step of the event loop. A worker that is
-- C(leaving) after a reload has no timers any more; it publishes with each request instead.
function M.publish(seen, leaving)
    for key, figure in pairs(figures) do
        if figure.requests > 0 then
            publish_figure(key, figure)
        elseif figure.used < seen - LINGER then
            figures[key] = nil
        end
    end
    local open = {}
    for address, gauge in pairs(gauges) do
        if gauge.open > 0 then
            open[address] = gauge.open
        elseif gauge.used ~= seen then
            gauges[address] = nil
        end
    end
    local text = cjson.encode({ seen = seen, leaving = leaving, open = open })
    if text ~= published then
        published = text
        shared:set(identity, text)
    end
end

function M.start(seen)
    local pid = ngx.worker.pid()
    identity = "worker:" .. pid .. ":" .. (process_start(pid) or "")
    M.publish(seen, false)
end

-- Every worker that lives, also one that only finishes its open requests after a reload. The
-- entry of a dead one (killed, crashed) is removed: its connections died with it.
function M.workers()
    local found = {}
    for _, key in ipairs(shared:get_keys(0)) do
        local pid, start = key:match("^worker:(%d+):(%d*)$")
        if pid then
            if process_start(pid) == start then
                local entry = cjson.decode(shared:get(key) or "") or { seen = 0, open = {} }
                entry.pid = tonumber(pid)
                found[#found + 1] = entry
            else
                shared:delete(key)
            end
        end
    end
    return found
end

-- Totals since the edge started: service -> release -> {requests, failed, buckets}.
function M.totals()
    local found = {}
    for _, key in ipairs(totals:get_keys(0)) do
        local service, release, name = key:match("^(%Z*)%z(%Z*)%z(%Z*)$")
        if service then
            found[service] = found[service] or {}
            local figure = found[service][release] or { requests = 0, failed = 0, buckets = {} }
            found[service][release] = figure
            local bucket = tonumber(name)
            if bucket then
                figure.buckets[tostring(BOUNDS[bucket])] = totals:get(key)
            else
                figure[name] = totals:get(key)
            end
        end
    end
    return found
end

-- Forget the figures of releases that C(keep) (service -> release -> true) does not name.
function M.forget(keep)
    for _, key in ipairs(totals:get_keys(0)) do
        local service, release = key:match("^(%Z*)%z(%Z*)%z")
        if service and not (keep[service] and keep[service][release]) then
            totals:delete(key)
        end
    end
end

return M
