-- Copyright: (c) 2026, Mainstay maintainers
-- GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- What keeps the choice of members from failing: a document that does not hold it is refused when
-- it is sent, and left out when the file of an earlier run holds it.

local cjson = require "cjson.safe"

local M = {}

local function valid_member(member)
    return type(member) == "table" and type(member.address) == "string"
        and member.address:find("^%[?[%x%.:]+%]?:%d+$") ~= nil
end

local function problem_in_group(group)
    if type(group) ~= "table" or type(group.release) ~= "string"
        or type(group.members) ~= "table" then
        return "a group without release or members"
    end
    for _, member in ipairs(group.members) do
        if not valid_member(member) then
            return "a member without a numeric address"
        end
    end
end

local function problem_in_upstream(upstream)
    if type(upstream) ~= "table" or type(upstream.groups) ~= "table" then
        return "no groups"
    end
    local sticky, preview = upstream.sticky, upstream.preview
    if type(sticky) == "table" and type(sticky.cookie) ~= "string" then
        return "sticky without a cookie"
    end
    if type(preview) == "table"
        and (type(preview.header) ~= "string" or type(preview.release) ~= "string") then
        return "a preview without header or release"
    end
    for _, group in ipairs(upstream.groups) do
        local problem = problem_in_group(group)
        if problem then
            return problem
        end
    end
end

-- Why the edge cannot choose by these upstreams; nil when it can.
function M.problem_in(upstreams)
    if type(upstreams) ~= "table" then
        return "not an object"
    end
    for name, upstream in pairs(upstreams) do
        local problem = problem_in_upstream(upstream)
        if problem then
            return name .. ": " .. problem
        end
    end
end

local function object_in(path)
    local handle = io.open(path)
    if not handle then
        return {}
    end
    local text = handle:read("*a")
    handle:close()
    local found, problem = cjson.decode(text or "")
    if type(found) ~= "table" then
        return {}, problem or "not an object"
    end
    return found
end

-- The upstreams and the switch of the maintenance page as the last run left them. A damaged file
-- must not keep Nginx from starting: it counts as none, and the log says so.
function M.kept(directory)
    local path = directory .. "/upstreams.json"
    local state, problem = object_in(path)
    local upstreams = state.upstreams or {}
    problem = problem or M.problem_in(upstreams)
    if problem then
        ngx.log(ngx.ERR, "mainstay: ", path, " is damaged, no members: ", problem)
        upstreams = {}
    end
    path = directory .. "/maintenance.json"
    local switch
    switch, problem = object_in(path)
    if problem then
        ngx.log(ngx.ERR, "mainstay: ", path, " is damaged, no maintenance: ", problem)
    end
    return upstreams, switch.on == true
end

return M
