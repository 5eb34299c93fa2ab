#include "web/api_answer.h"

#include "channels/errc.h"
#include "web/json_body.h"

namespace tailrace {

HttpResponse json_response(int status, const nlohmann::json& body) {
  return {status, "application/json", dumped(body), {}};
}

HttpResponse refused_change(error_code error) {
  if (error == ChannelErrc::not_found) return http_error(404, "Not Found");
  if (error == ChannelErrc::exists) return http_error(409, "Already exists");
  if (error == ChannelErrc::too_many_drains)
    return http_error(422, "You have already added the maximum number of drains allowed");
  // Whatever kept it from being stored: the reason is in the log, and no business of the client.
  HttpResponse response = http_error(503, "the change could not be stored; try again");
  response.headers.add("Retry-After", "5");
  return response;
}

}  // namespace tailrace
