#pragma once
// The API as an OpenAPI 3.1 document, made from one table of all routes.

#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace tailrace {

/// What the document says of one route. Names refer to openapi_components().
struct RouteEntry {
  enum class Who : uint8_t {
    anyone,
    writer,   // a token, or a credential with any_channel
    scraper,  // a token of the channel, or who may read it
    reader,   // who may read something
    channel_reader,
    full_api,
  };
  struct Answer {
    int status;
    std::string_view type;    // of its body; empty: it has none
    std::string_view schema;  // empty: any text
  };

  std::string_view method, path;  // as in HttpRoutes
  Who who;
  std::string_view summary;
  std::vector<std::string_view> query;  // parameters of its query, and of its head
  std::string_view body;                // the schema of its JSON body; empty: none is read
  std::vector<Answer> answers;          // those that are its own; errors that follow from the rest are added
  bool on_public = false;               // also a route of the public listener
};
const std::vector<RouteEntry>& route_entries();

/// `components` of the document: schemas and parameters, as JSON.
std::string_view openapi_components();

/// The document.
std::string openapi_text();

/// `GET /openapi.json`, for anyone.
void add_openapi_route(HttpRoutes& routes);

}  // namespace tailrace
