-- Copyright: (c) 2026, Mainstay maintainers
-- GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- The control socket: JSON over HTTP for root on this host. It validates only what keeps the
-- choice from failing; the modules validate the document before they send it.

local cjson = require "cjson.safe"
local documents = require "document"
local edge = require "edge"
local metrics = require "metrics"
local tally = require "tally"

local shared = ngx.shared.mainstay_edge

local M = {}

-- Totals are kept for this many changes, so that a caller can ask "since generation N".
local MARKS = 16

local function answer(status, body)
    ngx.status = status
    ngx.header["Content-Type"] = "application/json"
    ngx.say(body)
    return ngx.exit(status)
end

local function refuse(status, message)
    return answer(status, cjson.encode({ error = message }))
end

local function body()
    ngx.req.read_body()
    local text = ngx.req.get_body_data()
    if not text then
        return nil, nil
    end
    return cjson.decode(text), text
end

local function releases_of(document, keep)
    for name, upstream in pairs(document) do
        keep[name] = keep[name] or {}
        for _, group in ipairs(upstream.groups or {}) do
            keep[name][group.release] = true
        end
    end
    return keep
end

local function put_upstreams()
    local document, text = body()
    if type(document) ~= "table" then
        return refuse(400, "the body is not a JSON object")
    end
    local problem = documents.problem_in(document)
    if problem then
        return refuse(400, problem)
    end
    local before = cjson.decode(shared:get("document") or "{}") or {}
    tally.forget(releases_of(before, releases_of(document, {})))
    local generation = shared:get("generation") + 1
    shared:set("mark:" .. generation, cjson.encode(tally.totals()))
    shared:delete("mark:" .. (generation - MARKS))
    local ok, failure = shared:safe_set("document", text)
    if not ok then
        return refuse(507, "the document does not fit: " .. failure)
    end
    shared:set("mark", generation)
    -- Last: a worker that sees the new number reads the new document.
    generation = shared:incr("generation", 1)
    return answer(200, cjson.encode({ generation = generation }))
end

local function get_upstreams()
    local mark = shared:get("mark") or 1
    local since = tonumber(ngx.var.arg_since) or mark
    return answer(200, table.concat({
        '{"upstreams":', shared:get("document") or "{}",
        ',"generation":', shared:get("generation") or 0,
        ',"mark":', mark,
        ',"maintenance":', tostring(shared:get("maintenance") == true),
        ',"platform":', cjson.encode(edge.options.platform),
        ',"nginx":', cjson.encode(ngx.var.nginx_version),
        ',"workers":', cjson.encode(tally.workers()),
        ',"totals":', cjson.encode(tally.totals()),
        ',"before":', shared:get("mark:" .. since) or "{}",
        "}",
    }))
end

local function put_maintenance()
    local switch = body()
    if type(switch) ~= "table" or type(switch.on) ~= "boolean" then
        return refuse(400, 'the body is not {"on": true} or {"on": false}')
    end
    shared:set("maintenance", switch.on)
    return answer(200, cjson.encode({ generation = shared:incr("generation", 1) }))
end

local HANDLERS = {
    ["GET /metrics"] = metrics.serve,
    ["GET /v1/upstreams"] = get_upstreams,
    ["PUT /v1/upstreams"] = put_upstreams,
    ["PUT /v1/maintenance"] = put_maintenance,
}

-- content_by_lua of the control server.
function M.serve()
    local handler = HANDLERS[ngx.req.get_method() .. " " .. ngx.var.uri]
    if not handler then
        return refuse(404, "unknown call")
    end
    return handler()
end

return M
