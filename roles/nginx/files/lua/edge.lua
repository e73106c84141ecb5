-- Copyright: (c) 2026, Mainstay maintainers
-- GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- What nginx.conf calls, phase by phase. See docs/guides/edge.md for the whole mechanism.

local balancer = require "ngx.balancer"
local cjson = require "cjson.safe"
local members = require "members"
local tally = require "tally"

local set_current_peer = balancer.set_current_peer
local get_last_failure = balancer.get_last_failure
local exiting = ngx.worker.exiting

local M = {}

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

-- init_worker_by_lua.
function M.start()
    tally.start()
end

-- set_by_lua in each location: why the edge answers itself, or "".
function M.refusal(service)
    members.refresh()
    return members.refusal(service) or ""
end

-- balancer_by_lua, once per try.
function M.balance(service)
    local ctx = ngx.ctx
    local last = ctx.member
    local tried
    members.refresh()
    if last then
        tally.closed(last)
        if get_last_failure() == "failed" then
            members.put_aside(last)
        end
        tried = ctx.tried or {}
        tried[last] = true
        ctx.tried = tried
    else
        local spare = members.spare(service)
        if spare > 0 then
            balancer.set_more_tries(spare)
        end
    end
    local member, group = members.choose(service, ctx.group, tried)
    if not member then
        ctx.member = nil
        return ngx.exit(ngx.ERROR)
    end
    ctx.member = member.address
    ctx.group = group
    ctx.service = service
    if not last or ngx.var.mainstay_release ~= group.release then
        ngx.var.mainstay_release = group.release
    end
    tally.opened(member.address)
    assert(set_current_peer(member.host, member.port))
end

local function last_of(text)
    return text and text:match("([^%s,]+)%s*$")
end

-- log_by_lua. After an internal redirect (the edge's own error page) ngx.ctx is gone; Nginx's own
-- variables still say which member had the request.
function M.finish()
    local ctx = ngx.ctx
    local address, service, release = ctx.member, ctx.service, nil
    if address then
        release = ctx.group.release
    else
        release = ngx.var.mainstay_release
        if not release or release == "" then
            return
        end
        service = ngx.var.mainstay_service
        address = last_of(ngx.var.upstream_addr)
    end
    local status = ngx.status
    tally.closed(address)
    local seconds = status ~= 101 and tonumber(last_of(ngx.var.upstream_response_time)) or nil
    tally.record(service, release, status >= 500, seconds)
    if exiting() then
        tally.publish()
    end
end

return M
