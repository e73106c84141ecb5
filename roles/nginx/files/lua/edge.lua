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
local now = ngx.now

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

local function tick(premature)
    if not premature then
        members.share_asides()
    end
    tally.publish(members.refresh(), premature)
end

-- init_worker_by_lua.
function M.start()
    math.randomseed(now() * 1000 + ngx.worker.pid())
    tally.start(members.refresh())
    assert(ngx.timer.every(INTERVAL, tick))
end

-- set_by_lua in each location: why the edge answers itself, or "".
function M.refusal(service)
    return members.refusal(service)
end

local function failed_try(ctx, last)
    last.gauge.open = last.gauge.open - 1
    if get_last_failure() == "failed" then
        members.put_aside(last.address)
    end
    local tried = ctx.tried or {}
    tried[last.address] = true
    ctx.tried = tried
    return tried
end

-- balancer_by_lua, once per try.
function M.balance(service)
    local ctx = ngx.ctx
    local last = ctx.member
    local seen = members.refresh()
    local tried = nil
    if last then
        tried = failed_try(ctx, last)
    else
        ctx.started = now()
        local spare = members.spare(service)
        if spare > 0 then
            set_more_tries(spare)
        end
    end
    local member, group = members.choose(service, ctx.group, tried)
    ctx.member = member
    if not member then
        return ngx.exit(ngx.ERROR)
    end
    ctx.group = group
    local gauge = member.gauge
    gauge.open = gauge.open + 1
    if exiting() then
        tally.publish(seen, true)
    end
    assert(set_current_peer(member.host, member.port))
end

local function last_of(text)
    return text and text:match("([^%s,]+)%s*$")
end

-- The edge's own error page is an internal redirect, after which ngx.ctx is gone; Nginx's own
-- variable still says which member had the request.
local function member_in_log()
    local gauge = tally.known(last_of(ngx.var.upstream_addr))
    if gauge then
        return gauge, members.group_with(ngx.var.mainstay_service, gauge.address)
    end
end

-- log_by_lua.
function M.finish()
    local ctx = ngx.ctx
    local member, group, gauge = ctx.member, ctx.group, nil
    if member then
        gauge = member.gauge
    else
        gauge, group = member_in_log()
        if not gauge then
            return
        end
    end
    gauge.open = gauge.open - 1
    if group then
        local status = ngx.status
        local started = ctx.started
        tally.record(group.figure, status >= 500, status ~= 101 and started and now() - started)
        ngx.var.mainstay_release = group.release
    end
    if exiting() then
        tally.publish(members.refresh(), true)
    end
end

return M
