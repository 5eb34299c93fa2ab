#include "net/http.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tailrace {
namespace {

constexpr size_t kMaxSegments = 32;

struct Segments {
  std::array<std::string_view, kMaxSegments> at;
  size_t count = 0;
  bool too_many = false;
};

/// `/v2/channels/` has the segments `v2` and `channels`; `/` has none.
Segments split(std::string_view path) {
  Segments out;
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  while (!path.empty()) {
    if (out.count == kMaxSegments) {
      out.too_many = true;
      return out;
    }
    const size_t slash = path.find('/');
    out.at[out.count++] = path.substr(0, slash);
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
    if (path.empty() && out.count < kMaxSegments) out.at[out.count++] = {};  // `a//`: an empty last segment
  }
  return out;
}

bool is_parameter(std::string_view segment) {
  return segment.starts_with(':');
}

bool same_text(std::string_view pattern, std::string_view sent) {
  return pattern == sent || (sent.find('%') != std::string_view::npos && pattern == percent_decoded(sent));
}

bool matches(const HttpRoutes::Route& route, const Segments& path) {
  if (route.segments.size() != path.count) return false;
  for (size_t i = 0; i < path.count; ++i) {
    const std::string& segment = route.segments[i];
    if (is_parameter(segment) ? path.at[i].empty() : !same_text(segment, path.at[i])) return false;
  }
  return true;
}

/// Whether `a` spells out a segment where `b` first has a parameter.
bool more_exact(const HttpRoutes::Route& a, const HttpRoutes::Route& b) {
  for (size_t i = 0; i < a.segments.size(); ++i)
    if (is_parameter(a.segments[i]) != is_parameter(b.segments[i])) return is_parameter(b.segments[i]);
  return false;
}

std::string query_decoded(std::string_view text) {
  std::string blanks(text);
  std::ranges::replace(blanks, '+', ' ');
  return percent_decoded(blanks);
}

}  // namespace

std::string_view HttpFields::get(std::string_view name) const {
  for (const auto& [n, value] : fields_)
    if (iequals(n, name)) return value;
  return {};
}

std::string HttpFields::list(std::string_view name) const {
  std::string all;
  for (const auto& [field, value] : fields_)
    if (iequals(field, name)) all += (all.empty() ? "" : ", ") + value;
  return all;
}

bool HttpFields::has(std::string_view name) const {
  return std::ranges::any_of(fields_, [&](const auto& field) { return iequals(field.first, name); });
}

std::vector<std::string> HttpRequest::queries(std::string_view name) const {
  std::vector<std::string> values;
  const size_t mark = target.find('?');
  if (mark == std::string::npos) return values;
  std::string_view rest = std::string_view(target).substr(mark + 1);
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    const size_t equals = pair.find('=');
    if (query_decoded(pair.substr(0, equals)) == name)
      values.push_back(equals == std::string_view::npos ? std::string{}
                                                        : query_decoded(pair.substr(equals + 1)));
  }
  return values;
}

std::string HttpRequest::query(std::string_view name) const {
  const std::vector<std::string> values = queries(name);
  return values.empty() ? std::string() : values.front();
}

std::string_view HttpRequest::param(std::string_view name) const {
  for (const auto& [n, value] : params)
    if (n == name) return value;
  return {};
}

void HttpRoutes::add(std::string method, std::string pattern, HttpHandler handler, HttpGate gate) {
  Route route{std::move(method), std::move(pattern), {}, std::move(handler), std::move(gate)};
  const Segments parts = split(route.pattern);
  for (size_t i = 0; i < parts.count; ++i) route.segments.emplace_back(parts.at[i]);
  routes_.push_back(std::move(route));
}

std::variant<const HttpRoutes::Route*, HttpResponse> HttpRoutes::find(HttpRequest& request) const {
  const Segments path = split(request.path());
  const Route* found = nullptr;
  bool found_by_name = false;  // HEAD prefers a route of its own to GET's
  std::string allow;
  const auto note = [&allow](std::string_view method) {
    bool known = false;
    for_each_piece(allow, ',', [&](std::string_view piece) { known |= piece == method; });
    if (!known) (allow += allow.empty() ? "" : ", ") += method;
  };
  for (const Route& route : routes_) {
    if (path.too_many || !matches(route, path)) continue;
    const bool by_name = route.method == request.method;
    if (by_name || (request.method == "HEAD" && route.method == "GET")) {
      if (!found || (by_name && !found_by_name) || (by_name == found_by_name && more_exact(route, *found))) {
        found = &route;
        found_by_name = by_name;
      }
    } else if (!found) {
      note(route.method);
      if (route.method == "GET") note("HEAD");
    }
  }
  if (found) {
    for (size_t i = 0; i < path.count; ++i)
      if (is_parameter(found->segments[i]))
        request.params.emplace_back(found->segments[i].substr(1), percent_decoded(path.at[i]));
    return found;
  }
  if (allow.empty()) return http_error(404, "not found");
  HttpResponse refused = http_error(405, "method not allowed");
  refused.headers.add("Allow", std::move(allow));
  return refused;
}

HttpResponse http_error(int status, std::string_view text) {
  const nlohmann::json body{{"error", text}};
  // `replace`: a text with invalid UTF-8 in it must not throw.
  return {
      status, "application/json", body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), {}};
}

}  // namespace tailrace
