#include "drains/certificate_notice.h"

#include "drains/health.h"

namespace tailrace {
namespace {

/// Stands between quotes.
std::string quotable(const std::string& url) {
  std::string out;
  for (const char c : url) c == '"' ? out += "%22" : out += c;
  return out;
}

}  // namespace

std::optional<std::string> CertificateNotice::failed(const NetFailure& failure, const std::string& shown_url,
                                                     bool begins, Micros now) {
  if (failure.code != NetErrc::certificate) return std::nullopt;
  const std::string reason = failure.text.starts_with("tls: ") ? failure.text.substr(5) : failure.text;
  if (!begins && reason == told_ && now < told_at_ + kAgain) return std::nullopt;
  told_ = reason;
  told_at_ = now;
  return notice_line(now, "Error L14 (certificate validation): error=\"" + reason + "\" uri=\"" +
                              quotable(shown_url) + "\"");
}

}  // namespace tailrace
