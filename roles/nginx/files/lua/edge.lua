-- Copyright: (c) 2026, Mainstay maintainers
-- GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- What nginx.conf calls, phase by phase. See docs/guides/edge.md for the whole mechanism.
-- All that runs for every request avoids what LuaJIT cannot compile (patterns, concatenation in
-- loops, closures): that is most of the price of a request.

local balancer = require "ngx.balancer"
local cjson = require "cjson.safe"
local members = require "members"
local tally = require "tally"

local set_current_peer = balancer.set_current_peer
local set_more_tries = balancer.set_more_tries
local get_last_failure = balancer.get_last_failure
local exiting = ngx.worker.exiting

local M = {}

-- Seconds between two publications of a worker; a drain notices its end this much later.
local INTERVAL = 0.1

local function read(path)
    local handle, problem = io.open(path)
    if not handle then
        return nil, problem
    end
    local text = handle:read("*a")
    handle:close()
    return text
end

-- init_by_lua, in the master (root): a reload finds the shared dictionary filled, a start does not
-- and takes the members from the state file, before the first request is accepted.
function M.init(options)
    local shared = ngx.shared.mainstay_edge
    M.options = options
    if shared:get("generation") then
        return
    end
    local text = read(options.state .. "/upstreams.json")
    local state = text and cjson.decode(text)
    if text and not (state and state.upstreams) then
        ngx.log(ngx.ERR, "mainstay: ", options.state, "/upstreams.json is damaged; no members")
    end
    shared:set("document", state and cjson.encode(state.upstreams) or "{}")
    local switch = cjson.decode(read(options.state .. "/maintenance.json") or "{}") or {}
    shared:set("maintenance", switch.on == true)
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

-- The words of $upstream_addr or $upstream_connect_time, one a try: "a, b : c".
local function words_of(text)
    local found = {}
    for word in text:gmatch("[^%s,]+") do
        if word ~= ":" then
            found[#found + 1] = word
        end
    end
    return found
end

-- The tries so far as a set, and the counter of the last one, which is over. A member that could
-- not be reached is left out for a while. One that was reached and then was too slow is not: a
-- slow path would take all members out, one after the other.
local function failed_tries(state)
    local addresses = words_of(ngx.var.upstream_addr or "")
    local connected = words_of(ngx.var.upstream_connect_time or "")
    local last = addresses[#addresses]
    if state == "failed" and connected[#addresses] == "-" then
        members.put_aside(last)
    end
    local tried = {}
    for index = 1, #addresses do
        tried[addresses[index]] = true
    end
    return tried, tally.known(last)
end

-- balancer_by_lua, once per try.
function M.balance(service)
    if exiting() then
        members.refresh() -- no timer does it any more
    end
    local state = get_last_failure()
    local tried, last
    if state then
        tried, last = failed_tries(state)
    else
        local spare = members.spare(service)
        if spare > 0 then
            set_more_tries(spare)
        end
    end
    local member = members.choose(service, last and last.group, tried)
        or members.choose_anew(service, last and last.group, tried)
    if not member then
        return ngx.exit(ngx.ERROR) -- shown as the edge's own page
    end
    assert(set_current_peer(member.host, member.port))
    if last then
        last.open = last.open - 1
    end
    local gauge = member.gauge
    gauge.open = gauge.open + 1
    if exiting() then
        tally.publish(members.refresh(), true)
    end
end

-- After several tries the last one is still counted as open; after a redirect to another service,
-- the last one of each.
local function close_last_tries(text)
    local gauge
    for tries in (text .. " : "):gmatch("(.-) : ") do
        local addresses = words_of(tries)
        gauge = tally.known(addresses[#addresses])
        if gauge then
            gauge.open = gauge.open - 1
        end
    end
    return gauge
end

-- log_by_lua. It relies on Nginx's own variables, not on a table of the request: making one costs
-- more, and it would be gone after the redirect to the edge's own error page.
function M.finish()
    local var = ngx.var
    local address = var.upstream_addr
    if not address then
        return
    end
    local gauge = tally.known(address)
    if gauge then
        gauge.open = gauge.open - 1
    else
        gauge = close_last_tries(address)
        if not gauge then
            return
        end
    end
    local status, seconds = ngx.status, nil
    if status ~= 101 then
        local text = var.upstream_response_time
        seconds = tonumber(text) or tonumber(text:match("([%d.]+)[^%d.]*$"))
    end
    local group = gauge.group
    tally.record(group.figure, status >= 500, seconds)
    var.mainstay_release = group.release
    if exiting() then
        tally.publish(members.refresh(), true)
    end
end

return M
