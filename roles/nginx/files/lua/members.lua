-- Copyright: (c) 2026, Mainstay maintainers
-- GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Which member a request goes to. Every worker keeps the decoded document; a choice is plain Lua
-- on local tables.

local cjson = require "cjson.safe"
local tally = require "tally"

local random = math.random
local now = ngx.now
local shared = ngx.shared.mainstay_edge

local M = {}

-- Sticky clients carry a bucket, not a release: 10,000 buckets give shares of 0.01 %.
local BUCKETS = 10000
-- A member that did not answer is left out for ASIDE_FIRST seconds, twice as long each time it
-- fails again, never longer than ASIDE_LONGEST.
local ASIDE_FIRST, ASIDE_LONGEST = 2, 30
-- Other members that one request may be offered to.
local MOST_RETRIES = 3

local seen = 0 -- generation of the tables below
local services = {} -- service name -> upstream
local aside = {} -- address -> time until which it is left out
local any_aside = false
local maintenance = false

local function object(value)
    return type(value) == "table" and value or nil
end

-- Smooth weighted round robin starts at another place in each worker: otherwise all of them would
-- send their first requests to the same member.
local function group_of(service, spec, generation)
    local group = {
        release = spec.release,
        share = tonumber(spec.share) or 0,
        figure = tally.figure(service, spec.release, generation),
    }
    for index, member in ipairs(spec.members or {}) do
        local host, port = member.address:match("^%[?([^%]]+)%]?:(%d+)$")
        local weight = tonumber(member.weight) or 1
        group[index] = {
            address = member.address,
            host = host,
            port = tonumber(port),
            weight = weight,
            current = random(0, weight * 2),
            group = group,
            gauge = tally.gauge(member.address, generation),
        }
    end
    return group
end

-- Newest release first (release ids sort by time), so that raising its share only ever adds
-- buckets to it: a client that has seen the new release stays there.
local function upstream_of(service, spec, generation)
    local upstream = { releases = {}, members = 0, total = 0, spare = 0 }
    for _, group_spec in ipairs(spec.groups or {}) do
        local group = group_of(service, group_spec, generation)
        if #group > 0 then
            upstream.members = upstream.members + #group
            upstream.releases[group.release] = group
            if group.share > 0 then
                upstream[#upstream + 1] = group
                upstream.total = upstream.total + group.share
            end
        end
    end
    table.sort(upstream, function(a, b) return a.release > b.release end)
    upstream.spare = math.max(0, math.min(upstream.members - 1, MOST_RETRIES))
    local sticky, preview = object(spec.sticky), object(spec.preview)
    if sticky then
        upstream.cookie = sticky.cookie
        upstream.cookie_variable = "cookie_" .. sticky.cookie
        upstream.max_age = tonumber(sticky.max_age) or 3600
    end
    if preview then
        upstream.preview = preview.release
        upstream.preview_variable = "http_" .. preview.header:lower():gsub("-", "_")
    end
    return upstream
end

-- Brings the local tables up to the generation in the shared dictionary; returns it. The timer of
-- each worker calls it: reading shared memory for every request would cost more than the choice.
function M.refresh()
    local generation = shared:get("generation") or 0
    if generation == seen then
        return seen
    end
    local document = cjson.decode(shared:get("document") or "{}") or {}
    local fresh = {}
    for name, spec in pairs(document) do
        fresh[name] = upstream_of(name, spec, generation)
    end
    services, seen = fresh, generation
    maintenance = shared:get("maintenance") == true
    return seen
end

local function by_position(upstream, position)
    for index = 1, #upstream do
        position = position - upstream[index].share
        if position < 0 then
            return upstream[index]
        end
    end
    return upstream[#upstream]
end

local function bucket_of(upstream)
    local value = ngx.var[upstream.cookie_variable]
    local bucket = value and tonumber(value:match("^b(%d%d?%d?%d?)$"))
    if bucket then
        return bucket
    end
    bucket = random(0, BUCKETS - 1)
    local secure = ngx.var.scheme == "https" and "; Secure" or ""
    ngx.var.mainstay_cookie = upstream.cookie .. "=b" .. bucket .. "; Path=/; Max-Age="
        .. upstream.max_age .. secure .. "; HttpOnly; SameSite=Lax"
    return bucket
end

-- The group for a request: preview header, then sticky bucket, then share.
local function group_for(upstream)
    if upstream.preview then
        local wish = ngx.var[upstream.preview_variable]
        if wish then
            local group = upstream.releases[wish == "next" and upstream.preview or wish]
            if group then
                return group
            end
        end
    end
    if upstream.cookie and upstream.total > 0 then
        return by_position(upstream, bucket_of(upstream) / BUCKETS * upstream.total)
    end
    if #upstream == 1 then
        return upstream[1]
    end
    return by_position(upstream, random() * upstream.total)
end

local function usable(address, tried, moment)
    if tried and tried[address] then
        return false
    end
    local limit = aside[address]
    return not limit or limit <= moment
end

-- Smooth weighted round robin over the members that C(tried) and the time-outs leave.
local function turn(group, tried, all)
    local free = all or not (tried or any_aside)
    local moment = free and 0 or now()
    local best, total = nil, 0
    for index = 1, #group do
        local member = group[index]
        if free or usable(member.address, tried, moment) then
            local weight = member.weight
            local current = member.current + weight
            member.current = current
            total = total + weight
            if not best or current > best.current then
                best = member
            end
        end
    end
    if best then
        best.current = best.current - total
    end
    return best
end

-- A member for the request, or nil when the edge must answer itself. C(tried) holds addresses that
-- already failed for it: the next one comes from the same group, then from any other; when all are
-- aside, one is tried anyway.
function M.choose(service, group, tried)
    local upstream = services[service]
    if not upstream or maintenance and ngx.var.mainstay_bypass ~= "1" then
        return nil
    end
    group = group and upstream.releases[group.release] or group_for(upstream)
    if not group then
        return nil
    end
    local member = turn(group, tried)
    for index = 1, member and 0 or #upstream do
        member = member or turn(upstream[index], tried)
    end
    return member or turn(group, tried, true)
end

-- The same after a look at the shared dictionary, for the rare case that there was no member: the
-- tables may be older than the first change after a start, or than the end of a maintenance.
function M.choose_anew(service, group, tried)
    M.refresh()
    return M.choose(service, group, tried)
end

-- Further tries that make sense for a service.
function M.spare(service)
    local upstream = services[service]
    return upstream and upstream.spare or 0
end

-- Why choose() found none; "" when it would find one.
function M.refusal(service)
    M.refresh()
    if maintenance and ngx.var.mainstay_bypass ~= "1" then
        return "maintenance"
    end
    local upstream = services[service]
    return upstream and upstream.members > 0 and "" or "unavailable"
end

-- A member that refused or did not answer: leave it out for a while, in every worker.
function M.put_aside(address)
    local failures = shared:incr("failures:" .. address, 1, 0, ASIDE_LONGEST * 4) or 1
    local seconds = math.min(ASIDE_FIRST * 2 ^ (failures - 1), ASIDE_LONGEST)
    aside[address] = now() + seconds
    any_aside = true
    shared:set("aside:" .. address, aside[address], seconds)
    shared:incr("asides", 1, 0)
end

local asides_seen = 0

-- Called by the timer of each worker: take over what the others put aside, forget what is over.
function M.share_asides()
    local count = shared:get("asides") or 0
    if not any_aside and count == asides_seen then
        return
    end
    asides_seen = count
    local fresh, found = {}, false
    for _, upstream in pairs(services) do
        for _, group in pairs(upstream.releases) do
            for index = 1, #group do
                local address = group[index].address
                local limit = shared:get("aside:" .. address)
                if limit then
                    fresh[address], found = limit, true
                end
            end
        end
    end
    aside, any_aside = fresh, found
end

return M
