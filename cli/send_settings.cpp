#include "cli/send_settings.h"

#include <algorithm>

#include "base/ids.h"
#include "base/text.h"
#include "base/time_text.h"
#include "base/url.h"

namespace tailrace {
namespace {

using Milliseconds = std::chrono::milliseconds;

constexpr uint64_t kLeastBuffer = 256 * 1024, kMostBuffer = uint64_t{16} << 30;
constexpr size_t kLeastLine = 64;

/// What is wrong, as it is thrown from one place and caught in another of this file.
struct Wrong {
  std::string text;
};

std::string value_of(const SettingValues& environment, std::string_view name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

/// NAME, or what the file says that NAME_FILE names, without its newline.
std::string secret_of(const SettingValues& environment, const ReadFile& read_file, const std::string& name) {
  if (std::string value = value_of(environment, name); !value.empty()) return value;
  const std::string path = value_of(environment, name + "_FILE");
  if (path.empty()) return {};
  auto text = read_file(path);
  if (!text) throw Wrong{name + "_FILE: " + path + " cannot be read"};
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  return *text;
}

std::string or_else(const std::string& text, const std::string& other) {
  return text.empty() ? other : text;
}

/// PRINTUSASCII of RFC 5424 section 6.
std::string field(const char* flag, const std::string& text, size_t most) {
  const bool good = !text.empty() && text.size() <= most &&
                    std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!good)
    throw Wrong{std::string(flag) + " takes visible ASCII without blanks, " + std::to_string(most) +
                " at most"};
  return text;
}

Milliseconds time_of(const char* flag, const std::string& text, const char* standard, Milliseconds most) {
  const auto time = parse_duration(or_else(text, standard));
  if (!time || *time > most) throw Wrong{std::string(flag) + " takes a time such as " + standard};
  return *time;
}

uint64_t size_of(const char* flag, const std::string& text, uint64_t standard, uint64_t least, uint64_t most,
                 const char* takes) {
  if (text.empty()) return standard;
  const auto size = parse_size(text);
  if (!size || *size < least || *size > most) throw Wrong{std::string(flag) + " takes " + takes};
  return *size;
}

struct Names {
  std::string token;  // the sender's, if his URL or his bearer token is one of ours
  bool signs_in = false;
};

/// The URL with its path; `/logs` if it has none.
std::string with_path(const std::string& text, const Url& url) {
  if (!url.path.empty() && url.path != "/") return text;
  const size_t authority = text.find("://") + 3,
               end = std::min(text.find_first_of("/?#", authority), text.size());
  const std::string rest = text.substr(end);
  return text.substr(0, end) + "/logs" + (rest.starts_with('/') ? rest.substr(1) : rest);
}

Names judge_url(const SendFlags& flags, const SettingValues& environment, const ReadFile& read_file,
                JudgedTarget& far_end) {
  std::string text = flags.url;
  if (text.empty()) text = secret_of(environment, read_file, "LOGS_URL");
  if (text.empty()) text = value_of(environment, "LOGPLEX_URL");
  if (text.empty()) throw Wrong{"where to? --url or LOGS_URL, such as https://token:t.…@host/logs"};
  const auto url = parse_url(text);
  if (url) far_end = judge_sender(with_path(text, *url));
  if (!url || !far_end.error.empty())
    throw Wrong{"the URL is not http://… or https://…" + (url ? " (" + far_end.error + ")" : "")};

  Names names{is_token_id(url->password) ? url->password : "", !far_end.target.authorization.empty()};
  std::string bearer = flags.bearer_token;
  if (bearer.empty()) bearer = secret_of(environment, read_file, "LOGS_BEARER_TOKEN");
  if (bearer.empty()) return names;
  if (names.signs_in) throw Wrong{"a bearer token, or a user in the URL: one of them"};
  if (!std::ranges::all_of(bearer, [](char c) { return c > 0x20 && c < 0x7f; }))
    throw Wrong{"the bearer token takes visible ASCII without blanks"};
  far_end.target.authorization = "Bearer " + bearer;
  return {is_token_id(bearer) ? bearer : "", true};
}

SendInput::Form form_of(const std::string& text) {
  if (text.empty() || text == "raw") return SendInput::Form::raw;
  if (text == "rfc5424" || text == "logplex" || text == "lprfc5424") return SendInput::Form::syslog;
  throw Wrong{"--input-format takes raw, rfc5424 or logplex, not " + text};
}

void judge_fields(const SendFlags& flags, const SettingValues& environment, const std::string& host_name,
                  const Names& names, SendFields& fields) {
  fields.app = field("--appname", or_else(flags.appname, or_else(names.token, "app")), 48);
  fields.host = field("--hostname", or_else(flags.hostname, or_else(host_name, "-")), 255);
  fields.procid = field("--procid", or_else(flags.procid, or_else(value_of(environment, "DYNO"), "-")), 128);
  // log-shuttle's `- -` is MSGID and STRUCTURED-DATA.
  fields.msgid = flags.msgid == "- -" ? "-" : field("--msgid", or_else(flags.msgid, "-"), 32);
  const auto pri = parse_u64(or_else(flags.prival, "190"));
  if (!pri || *pri > 191) throw Wrong{"--prival takes 0 to 191"};
  fields.pri = uint8_t(*pri);
  fields.max_line =
      size_of("--max-line-length", flags.max_line, kMaxMessage, kLeastLine, kMaxMessage, "64 to 10000 bytes");
}

SendSettings judge(const SendFlags& flags, const SettingValues& environment, const ReadFile& read_file,
                   const std::string& host_name) {
  SendSettings settings;
  const Names names = judge_url(flags, environment, read_file, settings.far_end);
  settings.form = form_of(flags.format);
  judge_fields(flags, environment, host_name, names, settings.fields);
  DrainTarget& target = settings.far_end.target;
  if (!names.signs_in && !flags.appname.empty())
    target.authorization = "Basic " + to_base64("token:" + settings.fields.app);

  DrainOptions& options = settings.far_end.options;
  options.format = DrainOptions::Format::rfc5424;
  options.sender = SenderForm{settings.fields.app};
  if (flags.gzip && flags.zstd) throw Wrong{"--gzip, --zstd: one of them"};
  if (flags.gzip) options.encoding = DrainOptions::Encoding::gzip;
  if (flags.zstd) options.encoding = DrainOptions::Encoding::zstd;
  options.batch_bytes = size_of("--batch-size", flags.batch_size, options.batch_bytes, 1024, 8u << 20,
                                "1K to 8M: bytes, not lines");
  options.batch_delay = time_of("--wait", flags.wait, "0s", std::chrono::seconds(60));

  settings.buffer = size_of("--buffer", flags.buffer, 8u << 20, kLeastBuffer, kMostBuffer, "256K to 16G");
  if (!flags.full.empty()) {
    if (flags.full != "drop" && flags.full != "block")
      throw Wrong{"--full takes drop or block, not " + flags.full};
    settings.block = flags.full == "block";
  }
  settings.grace = time_of("--grace", flags.grace, "30s", std::chrono::hours(24));
  settings.stats_interval = time_of("--stats-interval", flags.stats_interval, "0s", std::chrono::hours(24));
  settings.ca_file = or_else(flags.ca_file, value_of(environment, "SSL_CERT_FILE"));
  settings.name_servers = value_of(environment, "TAILRACE_DNS");
  settings.tee = flags.tee;
  settings.quiet = flags.quiet;
  return settings;
}

}  // namespace

SendSettingsOutcome read_send_settings(const SendFlags& flags, const SettingValues& environment,
                                       const ReadFile& read_file, const std::string& host_name) {
  try {
    return {judge(flags, environment, read_file, host_name), {}};
  } catch (const Wrong& wrong) {
    return {std::nullopt, wrong.text};
  }
}

}  // namespace tailrace
