-- Copyright: (c) 2026, Mainstay maintainers
-- GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- The figures of the edge in the text format of Prometheus. Counters begin anew with Nginx.

local cjson = require "cjson.safe"
local edge = require "edge"
local tally = require "tally"

local shared = ngx.shared.mainstay_edge

local M = {}

local function labels(...)
    local found = { 'platform="' .. edge.options.platform .. '"' }
    local given = { ... }
    for index = 1, #given, 2 do
        found[#found + 1] = given[index] .. '="' .. given[index + 1] .. '"'
    end
    return "{" .. table.concat(found, ",") .. "}"
end

local function head(lines, name, kind, help)
    lines[#lines + 1] = "# HELP " .. name .. " " .. help
    lines[#lines + 1] = "# TYPE " .. name .. " " .. kind
end

local function line(lines, name, marks, value)
    lines[#lines + 1] = name .. marks .. " " .. value
end

local function each(totals, visit)
    for service, releases in pairs(totals) do
        for release, figure in pairs(releases) do
            visit(service, release, figure)
        end
    end
end

local function counters(lines, totals)
    head(lines, "mainstay_edge_requests_total", "counter", "Answered requests.")
    each(totals, function(service, release, figure)
        line(lines, "mainstay_edge_requests_total",
            labels("service", service, "release", release), figure.requests)
    end)
    head(lines, "mainstay_edge_failed_total", "counter", "Answers of 500 and above, or none.")
    each(totals, function(service, release, figure)
        line(lines, "mainstay_edge_failed_total",
            labels("service", service, "release", release), figure.failed)
    end)
end

local function latencies(lines, totals)
    local name = "mainstay_edge_seconds"
    head(lines, name, "histogram", "Time until the service had answered.")
    each(totals, function(service, release, figure)
        local count = 0
        for _, bound in ipairs(tally.BOUNDS) do
            count = count + (figure.buckets[tostring(bound)] or 0)
            local marks = labels("service", service, "release", release, "le", tostring(bound))
            line(lines, name .. "_bucket", marks, count)
        end
        local marks = labels("service", service, "release", release)
        line(lines, name .. "_bucket",
            labels("service", service, "release", release, "le", "+Inf"), count)
        line(lines, name .. "_count", marks, count)
    end)
end

local function shares(lines, document)
    head(lines, "mainstay_edge_share", "gauge", "Share of the traffic, relative to the others.")
    for service, upstream in pairs(document) do
        for _, group in ipairs(upstream.groups or {}) do
            line(lines, "mainstay_edge_share",
                labels("service", service, "release", group.release), group.share or 0)
        end
    end
end

local function open_requests(lines)
    head(lines, "mainstay_edge_open", "gauge", "Requests and sockets under way.")
    local open = {}
    for _, worker in ipairs(tally.workers()) do
        for address, count in pairs(worker.open) do
            open[address] = (open[address] or 0) + count
        end
    end
    for address, count in pairs(open) do
        line(lines, "mainstay_edge_open", labels("member", address), count)
    end
end

-- The whole page.
function M.text()
    local lines, totals = {}, tally.totals()
    counters(lines, totals)
    latencies(lines, totals)
    shares(lines, cjson.decode(shared:get("document") or "{}") or {})
    open_requests(lines)
    head(lines, "mainstay_edge_maintenance", "gauge", "1 while the maintenance page is shown.")
    line(lines, "mainstay_edge_maintenance", labels(), shared:get("maintenance") and 1 or 0)
    head(lines, "mainstay_edge_generation", "gauge", "Changes since Nginx was started.")
    line(lines, "mainstay_edge_generation", labels(), shared:get("generation") or 0)
    return table.concat(lines, "\n") .. "\n"
end

-- content_by_lua, for the control socket and for a location that a scraper may reach.
function M.serve()
    ngx.header["Content-Type"] = "text/plain; version=0.0.4"
    ngx.print(M.text())
end

return M
