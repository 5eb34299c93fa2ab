#include "web/listener_families.h"

namespace tailrace {

void write_listener_families(ExpositionWriter& out, const ListenerCounts& listeners) {
  out.family("tailrace_http_responses_total", FamilyType::counter,
             "Requests answered, by status; those refused before their route saw them too.");
  for (const auto& [listener, server] : listeners.http)
    for (int status = 100; status < 600; ++status)
      if (const uint64_t answers = server->answered(status))
        out.sample({{"listener", listener}, {"code", std::to_string(status)}}, answers);
  out.family("tailrace_http_requests_cut_off_total", FamilyType::counter,
             "Requests whose sender left before they were whole; nothing of them was taken.");
  for (const auto& [listener, server] : listeners.http)
    out.sample({{"listener", listener}}, server->cut_off());
  out.family("tailrace_tls_handshakes_total", FamilyType::counter, "Handshakes, by how they ended.");
  for (const auto& [listener, handshakes] : listeners.tls)
    for (size_t i = 0; i < kHandshakes.size(); ++i)
      out.sample({{"listener", listener}, {"result", kHandshakes[i]}}, handshakes->of(Handshake(i)));
}

}  // namespace tailrace
