-- Copyright: (c) 2026, Mainstay maintainers
-- GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- What nginx.conf calls, phase by phase. See docs/guides/edge.md for the whole mechanism.
-- All that runs for every request avoids what LuaJIT cannot compile (patterns, concatenation in
-- loops, closures): that is most of the price of a request.

local balancer = require "ngx.balancer"
local base = require "resty.core.base"
local cjson = require "cjson.safe"
local documents = require "document"
local ffi = require "ffi"
local members = require "members"
local tally = require "tally"

local set_current_peer = balancer.set_current_peer
local set_more_tries = balancer.set_more_tries
local get_last_failure = balancer.get_last_failure
local get_request = base.get_request
local exiting = ngx.worker.exiting
local cast, tonumber = ffi.cast, tonumber
local uintptr = ffi.typeof("uintptr_t")

local M = {}

-- Seconds between two publications of a worker; a drain notices its end this much later.
local INTERVAL = 0.1
-- Within one interval the latency of so many answers is taken, then that of each SAMPLE-th one.
local EVERY, SAMPLE = 32, 8

-- Address of the request in memory -> member it was sent to. It lives as long as the request, also
-- over a redirect to the edge's own page, which would lose ngx.ctx; and it costs less.
local sent = {}

-- init_by_lua, in the master (root): a reload finds the shared dictionary filled, a start does not
-- and takes the members from the state file, before the first request is accepted.
function M.init(options)
    local shared = ngx.shared.mainstay_edge
    M.options = options
    if shared:get("generation") then
        return
    end
    local upstreams, switched = documents.kept(options.state)
    shared:set("document", cjson.encode(upstreams))
    shared:set("maintenance", switched)
    shared:set("mark", 1)
    shared:set("generation", 1)
end

-- All choices of a worker come from the tables that this brings up to date; what it publishes
-- afterwards says so.
local function tick(premature)
    local seen = members.refresh()
    if not premature then
        members.share_asides()
    end
    tally.publish(seen, premature)
end

-- init_worker_by_lua.
function M.start()
    math.randomseed(ngx.now() * 1000 + ngx.worker.pid())
    tally.start(members.refresh())
    assert(ngx.timer.every(INTERVAL, tick))
end

-- set_by_lua of the edge's own page: why it is shown, or "" when a member failed.
M.refusal = members.refusal

local function key_of_request()
    return tonumber(cast(uintptr, get_request()))
end

-- The words of $upstream_addr or $upstream_connect_time, one a try: "a, b : c".
local function words_of(text)
    local found = {}
    for word in (text or ""):gmatch("[^%s,]+") do
        if word ~= ":" then
            found[#found + 1] = word
        end
    end
    return found
end

-- The tries so far as a set. A member that could not be reached is left out for a while. One that
-- was reached and then was too slow is not: a slow path would take all members out, one by one.
local function failed_tries(state)
    local addresses = words_of(ngx.var.upstream_addr)
    local connected = words_of(ngx.var.upstream_connect_time)
    if state == "failed" and connected[#addresses] == "-" then
        members.put_aside(addresses[#addresses])
    end
    local tried = {}
    for index = 1, #addresses do
        tried[addresses[index]] = true
    end
    return tried
end

-- balancer_by_lua, once per try.
function M.balance(service)
    if exiting() then
        members.refresh() -- no timer does it any more
    end
    local key = key_of_request()
    local last = sent[key]
    local state = get_last_failure()
    local group, tried
    if last then
        last.gauge.open = last.gauge.open - 1
        sent[key] = nil
    end
    if state then
        tried = failed_tries(state)
        group = last and last.group
    else
        local spare = members.spare(service)
        if spare > 0 then
            set_more_tries(spare)
        end
    end
    local member = members.choose(service, group, tried)
        or members.choose_anew(service, group, tried)
    if not member then
        return ngx.exit(ngx.ERROR) -- shown as the edge's own page
    end
    assert(set_current_peer(member.host, member.port))
    member.gauge.open = member.gauge.open + 1
    sent[key] = member
    if exiting() then
        tally.publish(members.refresh(), true)
    end
end

-- Seconds of the answer and how many it stands for; nil when it is not taken. An upgraded
-- connection has none: its length is no latency.
local function latency(figure, status)
    local count = figure.requests
    if status == 101 or count > EVERY and count % SAMPLE ~= 0 then
        return nil
    end
    local text = ngx.var.upstream_response_time or ""
    return tonumber(text) or tonumber(text:match("([%d.]+)[^%d.]*$")), count > EVERY and SAMPLE or 1
end

-- log_by_lua.
function M.finish()
    local key = key_of_request()
    local member = sent[key]
    if not member then
        return
    end
    sent[key] = nil
    member.gauge.open = member.gauge.open - 1
    local status, group = ngx.status, member.group
    local figure = group.figure
    tally.record(figure, status >= 500, latency(figure, status))
    ngx.var.mainstay_release = group.release
    if exiting() then
        tally.publish(members.refresh(), true)
    end
end

return M
