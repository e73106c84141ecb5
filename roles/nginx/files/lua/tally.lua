-- Copyright: (c) 2026, Mainstay maintainers
-- GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Open requests by member, and figures by service and release. Counting is done in tables of the
-- worker and published by a timer, because a write to shared memory per request would cost more
-- than the choice itself.

local cjson = require "cjson.safe"
local members = require "members"

local shared = ngx.shared.mainstay_edge
local figures = ngx.shared.mainstay_figures

local M = {}

-- Seconds between two publications; a drain notices its end this much later.
local INTERVAL = 0.1
-- Upper ends of the latency buckets in seconds, each a quarter above the one before.
local BOUNDS = {}
do
    local bound = 0.001
    while bound < 120 do
        BOUNDS[#BOUNDS + 1] = bound
        bound = bound * 1.25
    end
end
local STEP = math.log(1.25)

local open = {} -- address -> requests this worker has under way
local counts = {} -- service \0 release -> figures not yet published
local changed = false
local published = -1 -- generation in the last publication
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

local function bucket_of(seconds)
    if seconds <= 0.001 then
        return 1
    end
    local bucket = math.ceil(math.log(seconds / 0.001) / STEP - 1e-9) + 1
    return bucket > #BOUNDS and #BOUNDS or bucket
end

function M.opened(address)
    open[address] = (open[address] or 0) + 1
    changed = true
end

function M.closed(address)
    local count = (open[address] or 1) - 1
    open[address] = count > 0 and count or nil
    changed = true
end

-- One answered request. C(seconds) is nil for an upgraded connection: its length is no latency.
function M.record(service, release, failed, seconds)
    local key = service .. "\0" .. release
    local figure = counts[key]
    if not figure then
        figure = { requests = 0, failed = 0, buckets = {} }
        counts[key] = figure
    end
    figure.requests = figure.requests + 1
    if failed then
        figure.failed = figure.failed + 1
    end
    if seconds then
        local bucket = bucket_of(seconds)
        figure.buckets[bucket] = (figure.buckets[bucket] or 0) + 1
    end
end

local function publish_figures()
    for key, figure in pairs(counts) do
        figures:incr(key .. "\0requests", figure.requests, 0)
        if figure.failed > 0 then
            figures:incr(key .. "\0failed", figure.failed, 0)
        end
        for bucket, count in pairs(figure.buckets) do
            figures:incr(key .. "\0" .. bucket, count, 0)
        end
    end
    counts = {}
end

-- What a drain relies on: at the moment of this write the worker chooses by C(seen) and has
-- exactly these requests open. Both are taken in one step of the event loop.
function M.publish()
    local seen = members.refresh()
    if not changed and seen == published then
        return
    end
    changed, published = false, seen
    publish_figures()
    shared:set(identity, cjson.encode({ seen = seen, open = open }))
end

local function tick(premature)
    if not premature then
        members.share_asides()
    end
    M.publish()
end

function M.start()
    local pid = ngx.worker.pid()
    identity = "worker:" .. pid .. ":" .. (process_start(pid) or "")
    math.randomseed(ngx.now() * 1000 + pid)
    published = -1
    M.publish()
    assert(ngx.timer.every(INTERVAL, tick))
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
    for _, key in ipairs(figures:get_keys(0)) do
        local service, release, name = key:match("^(%Z*)%z(%Z*)%z(%Z*)$")
        if service then
            found[service] = found[service] or {}
            local figure = found[service][release] or { requests = 0, failed = 0, buckets = {} }
            found[service][release] = figure
            local bucket = tonumber(name)
            if bucket then
                figure.buckets[tostring(BOUNDS[bucket])] = figures:get(key)
            else
                figure[name] = figures:get(key)
            end
        end
    end
    return found
end

-- Forget the figures of releases that C(keep) (service -> release -> true) does not name.
function M.forget(keep)
    for _, key in ipairs(figures:get_keys(0)) do
        local service, release = key:match("^(%Z*)%z(%Z*)%z")
        if service and not (keep[service] and keep[service][release]) then
            figures:delete(key)
        end
    end
end

return M
