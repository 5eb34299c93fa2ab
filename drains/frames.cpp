#include "drains/frames.h"

#include <cstring>

#include "base/time_text.h"

namespace tailrace {
namespace {

size_t digits(size_t value) {
  size_t n = 1;
  for (; value >= 10; value /= 10) ++n;
  return n;
}

char* put(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* put_count(char* out, size_t value) {
  const size_t n = digits(value);
  for (size_t i = n; i-- > 0; value /= 10) out[i] = char('0' + value % 10);
  out[n] = ' ';
  return out + n + 1;
}

/// `<PRI>1 TIME `, which every frame begins with.
std::string_view beginning(const Record& record) {
  return record.text().substr(0, record.header().host_at);
}
/// `APP PROCID `, with both blanks.
std::string_view names(const Record& record) {
  const EntryHeader& h = record.header();
  return record.text().substr(h.app_at, h.msgid_at - h.app_at);
}

std::string counted(const std::string& frame) {
  return std::to_string(frame.size()) + " " + frame;
}

std::string loss_text(uint64_t records, Micros since) {
  return "Error L10 (output buffer overflow): " + std::to_string(records) + " messages dropped since " +
         rfc3339_seconds(since) + ".";
}

constexpr std::string_view kNoFields = "- - ";  // MSGID and STRUCTURED-DATA
constexpr std::string_view kNoMsgid = "- ";
constexpr std::string_view kHost = "host ";

size_t syslog_body(const Record& record, size_t token_size) {
  const std::string_view message = record.message();
  return beginning(record).size() + token_size + 1 + names(record).size() + kNoFields.size() +
         message.size() + (message.ends_with('\n') ? 0 : 1);
}

size_t logplex_body(const Record& record) {
  return beginning(record).size() + kHost.size() + names(record).size() + kNoMsgid.size() +
         record.message().size();
}

}  // namespace

size_t SyslogFrames::size(const Record& record) const {
  const size_t body = syslog_body(record, token_.size());
  return digits(body) + 1 + body;
}

char* SyslogFrames::write(const Record& record, char* out) const {
  const std::string_view message = record.message();
  out = put_count(out, syslog_body(record, token_.size()));
  out = put(out, beginning(record));
  out = put(out, token_);
  *out++ = ' ';
  out = put(out, names(record));
  out = put(out, kNoFields);
  out = put(out, message);
  if (!message.ends_with('\n')) *out++ = '\n';
  return out;
}

std::string SyslogFrames::loss(uint64_t records, Micros since, Micros now) const {
  return counted("<172>1 " + rfc3339_seconds(now) + " " + token_ + " heroku logplex - - " +
                 loss_text(records, since) + "\n");
}

size_t LogplexFrames::size(const Record& record) {
  const size_t body = logplex_body(record);
  return digits(body) + 1 + body;
}

char* LogplexFrames::write(const Record& record, char* out) {
  out = put_count(out, logplex_body(record));
  out = put(out, beginning(record));
  out = put(out, kHost);
  out = put(out, names(record));
  out = put(out, kNoMsgid);
  return put(out, record.message());
}

std::string LogplexFrames::loss(uint64_t records, Micros since, Micros now) {
  return counted("<172>1 " + rfc3339_seconds(now) + " host heroku logplex - " + loss_text(records, since));
}

size_t Rfc5424Frames::size(const Record& record) {
  const size_t body = record.text().size();
  return digits(body) + 1 + body;
}

char* Rfc5424Frames::write(const Record& record, char* out) {
  const std::string_view text = record.text();
  return put(put_count(out, text.size()), text);
}

std::string Rfc5424Frames::loss(uint64_t records, Micros since, Micros now) {
  return counted("<172>1 " + rfc3339_seconds(now) + " host heroku logplex - - " + loss_text(records, since));
}

std::string sender_loss(std::string_view app, const Loss& loss, Micros now) {
  const std::string what = loss.refused.records
                               ? "Error L13: " + std::to_string(loss.records) + " messages lost"
                               : "Error L12: " + std::to_string(loss.records) + " messages dropped";
  return counted("<172>1 " + rfc3339_micros(now) + " heroku " + std::string(app) + " log-shuttle - - " +
                 what + " since " + rfc3339_micros(loss.since) + "\n");
}

}  // namespace tailrace
