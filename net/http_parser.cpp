#include "net/http_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>

#include "base/text.h"

namespace tailrace {
namespace {

namespace beast = boost::beast;
using beast::string_view;
using boost::system::error_code;

constexpr uint64_t kBodyStep = 64 * 1024;       // what a body takes from the budget at first
constexpr size_t kChunkExtension = 256;         // of one chunk
constexpr size_t kChunkExtensions = 16 * 1024;  // of all
constexpr size_t kChunkLookahead = 16 * 1024;   // bytes without a whole chunk head, or of trailers

constexpr size_t kLastChunk = 5;  // `0`, CRLF, CRLF: the least that is left of a chunked body

constexpr HttpFault kMalformed{400, "malformed request"};

error_code stop() {
  return beast::http::make_error_code(beast::http::error::bad_value);
}

/// `host`, `host:port`, `[v6]:port`, or nothing.
bool is_host(std::string_view text) {
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && std::string_view("-._~!$&'()*+;=%:[]").find(c) == std::string_view::npos) return false;
  }
  return true;
}

bool is_chunked(std::string_view value) {
  return iequals(value, "chunked");
}

bool is_token_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// `HTTP/2.0` and the like at the end of the request line: well formed, and not ours.
bool other_version(std::string_view head) {
  std::string_view line = head.substr(0, head.find('\r'));
  if (line.size() < 9) return false;
  line = line.substr(line.size() - 9);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return line.starts_with(" HTTP/") && digit(line[6]) && line[7] == '.' && digit(line[8]) && line[6] != '1';
}

}  // namespace

struct HttpRequestParser::Impl final : beast::http::basic_parser<true> {
  Impl(const HttpLimits& l, HttpRequest& r) : limits(l), request(r) {
    header_limit(std::uint32_t(limits.head_bytes + 4096));  // the scan below holds the real one
    body_limit(boost::none);                                // judged after the gate, and chunk by chunk
  }
  ~Impl() override { drop_body(); }

  void drop_body() {
    if (budget) budget->give(std::exchange(taken, 0));
    request.body = {};
  }

  void refuse(HttpFault why) {
    if (!fault) fault = why;
  }

  /// The length of the head if `bytes` holds all of it, else 0; looks at each byte once.
  size_t scan(std::string_view bytes) {
    if (!bytes.empty() && !is_token_start(bytes[0])) return refuse(kMalformed), 0;
    while (true) {
      const size_t newline = bytes.find('\n', scanned);
      if (newline == std::string_view::npos) {
        scanned = bytes.size();
        if (bytes.size() > limits.head_bytes) refuse({431, "request head too large"});
        return 0;
      }
      if (newline + 1 > limits.head_bytes) return refuse({431, "request head too large"}), 0;
      if (newline == 0 || bytes[newline - 1] != '\r') return refuse(kMalformed), 0;
      const bool empty = newline == line + 1;
      if (lines > 0 && (bytes[line] == ' ' || bytes[line] == '\t')) return refuse(kMalformed), 0;
      line = scanned = newline + 1;
      if (empty) return line;
      if (++lines > limits.head_fields + 1) return refuse({431, "too many header fields"}), 0;
    }
  }

  void judge_head() {
    if (hosts > 1 || (hosts == 0 && version == 11)) return refuse({400, "one Host field is needed"});
    if (!is_host(host)) return refuse({400, "malformed Host"});
    if (lengths > 1) return refuse({400, "more than one Content-Length"});
    if (codings > 0 && (codings > 1 || lengths > 0 || version == 10 || !chunked()))
      return refuse({400, "malformed Transfer-Encoding"});
    std::string& target = request.target;
    if (target.starts_with('/') || target == "*") return;
    // Absolute form (RFC 9112 section 3.2.2): one host, not two.
    const size_t scheme = target.find("://");
    if (scheme == std::string::npos ||
        !(iequals(target.substr(0, scheme), "http") || iequals(target.substr(0, scheme), "https")))
      return refuse({400, "malformed request target"});
    const size_t path = target.find_first_of("/?", scheme + 3);
    const std::string_view authority = std::string_view(target).substr(scheme + 3, path - scheme - 3);
    if (authority.empty() || (hosts == 1 && !iequals(authority, host)))
      return refuse({400, "request target and Host differ"});
    std::string rest = path == std::string::npos ? "" : target.substr(path);
    target = rest.starts_with('/') ? std::move(rest) : "/" + rest;
  }

  bool take(uint64_t bytes) {
    if (!budget) return true;
    if (!budget->take(bytes)) {
      refuse({503, "no room for the body now"});
      return false;
    }
    taken += bytes;
    return true;
  }

  /// Room for a body of `size` bytes, taken as the bytes come and not as they are announced: who announces
  /// much and sends nothing holds little. Doubling, as the string's memory does.
  bool hold(uint64_t size) {
    if (size <= taken) return true;
    const uint64_t most = chunked() ? limits.body_bytes : declared;
    return take(std::min(std::max(taken, size - taken), most - taken));
  }

  // What Beast calls.
  void on_request_impl(beast::http::verb, string_view method, string_view target, int v,
                       error_code&) override {
    request.method.assign(method.data(), method.size());
    request.target.assign(target.data(), target.size());
    version = v;
  }
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(beast::http::field field, string_view name, string_view value, error_code& ec) override {
    if (in_body) return;  // a trailer: read, and of no effect
    const std::string_view text(value.data(), value.size());
    switch (field) {
      case beast::http::field::host:
        ++hosts;
        host.assign(text);
        break;
      case beast::http::field::content_length:
        ++lengths;
        if (const auto length = parse_u64(text))
          declared = *length;
        else
          ec = stop();
        break;
      case beast::http::field::transfer_encoding:
        ++codings;
        if (!is_chunked(text)) ec = stop();
        break;
      case beast::http::field::expect:
        expect.assign(text);
        break;
      case beast::http::field::authorization:
      case beast::http::field::content_type:
        // Whoever reads the first and whoever reads the last would see two different requests.
        if (request.headers.has({name.data(), name.size()})) ec = stop();
        break;
      default:
        break;
    }
    request.headers.add(std::string(name.data(), name.size()), std::string(text));
  }
  void on_header_impl(error_code&) override { in_body = true; }
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
  std::size_t on_body_impl(string_view bytes, error_code& ec) override {
    if (ignore) return bytes.size();
    if (!hold(request.body.size() + bytes.size())) {
      ec = stop();
      return 0;
    }
    request.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t size, string_view extension, error_code& ec) override {
    extensions += extension.size();
    if (extension.size() > kChunkExtension || extensions > kChunkExtensions ||
        extension.find_first_of(string_view("\r\n\0", 3)) != string_view::npos) {
      ec = stop();
    } else if (size > limits.body_bytes - declared) {
      refuse({413, "body too large"});
      ec = stop();
    } else {
      declared += size;
      chunks = true;
    }
  }
  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code& ec) override {
    return on_body_impl(bytes, ec);
  }
  void on_finish_impl(error_code&) override {}

  const HttpLimits& limits;
  HttpRequest& request;
  Budget* budget = nullptr;
  uint64_t taken = 0;
  uint64_t declared = 0;  // Content-Length, or the chunks so far
  std::optional<HttpFault> fault;
  std::string host, expect;
  size_t scanned = 0, line = 0, lines = 0, extensions = 0;
  int version = 11, hosts = 0, lengths = 0, codings = 0;
  bool in_body = false, chunks = false, ignore = false;
};

HttpRequestParser::HttpRequestParser(const HttpLimits& limits, HttpRequest& into)
    : impl_(std::make_unique<Impl>(limits, into)) {}
HttpRequestParser::~HttpRequestParser() = default;

size_t HttpRequestParser::feed_head(std::string_view bytes) {
  // An empty line before a request is the end of a careless client's last body (RFC 9112 section 2.2).
  size_t skipped = 0;
  while (impl_->scanned == 0 && bytes.starts_with("\r\n")) {
    bytes.remove_prefix(2);
    skipped += 2;
  }
  if (impl_->scanned == 0 && bytes == "\r") return skipped;
  const size_t length = impl_->scan(bytes);
  if (length == 0) return skipped;
  error_code ec;
  const size_t used = impl_->put({bytes.data(), length}, ec);
  if (ec || used != length || !impl_->is_header_done())
    impl_->refuse(other_version(bytes.substr(0, length)) ? HttpFault{505, "HTTP version not supported"}
                                                         : kMalformed);
  else
    impl_->judge_head();
  return skipped + length;
}

bool HttpRequestParser::head_done() const {
  return !impl_->fault && impl_->in_body;
}
bool HttpRequestParser::has_body() const {
  return impl_->chunked() || (impl_->lengths && impl_->declared > 0);
}
bool HttpRequestParser::http11() const {
  return impl_->version == 11;
}
bool HttpRequestParser::keep_alive() const {
  return head_done() && impl_->keep_alive();
}
bool HttpRequestParser::expects_continue() const {
  return http11() && iequals(impl_->expect, "100-continue");
}

bool HttpRequestParser::admit_body(Budget& budget) {
  if (impl_->declared > impl_->limits.body_bytes) {
    impl_->refuse({413, "body too large"});
    return false;
  }
  impl_->eager(true);
  if (impl_->ignore) return true;
  impl_->budget = &budget;
  const uint64_t first = std::min(impl_->declared, kBodyStep);
  if (!impl_->hold(first)) return false;
  impl_->request.body.reserve(first);
  return true;
}

void HttpRequestParser::ignore_body() {
  impl_->ignore = true;
}

void HttpRequestParser::drop_body() {
  impl_->drop_body();
}

size_t HttpRequestParser::feed_body(std::string_view bytes) {
  if (done() || bytes.empty()) return 0;
  // Beast asserts that it is not asked twice about a last chunk that is shorter than it can be.
  if (impl_->chunked() && !impl_->chunks && bytes.size() < kLastChunk && bytes[0] == '0') return 0;
  error_code ec;
  const size_t used = impl_->put({bytes.data(), bytes.size()}, ec);
  if (ec && ec != beast::http::error::need_more) {
    impl_->refuse({400, "malformed body"});
  } else if (!done() && bytes.size() - used > kChunkLookahead) {
    impl_->refuse({400, "malformed body"});
  }
  return used;
}

bool HttpRequestParser::done() const {
  return impl_->is_done();
}
const std::optional<HttpFault>& HttpRequestParser::fault() const {
  return impl_->fault;
}

// --- answers
// -------------------------------------------------------------------------------------------------

struct HttpAnswerParser::Impl final : beast::http::basic_parser<false> {
  explicit Impl(Bounds b) : bounds(b) {
    header_limit(std::uint32_t(bounds.head_bytes));
    body_limit(boost::none);
    eager(true);
  }

  void on_request_impl(beast::http::verb, string_view, string_view, int, error_code&) override {}
  void on_response_impl(int code, string_view, int, error_code&) override { status = code; }
  void on_field_impl(beast::http::field field, string_view, string_view value, error_code&) override {
    if (field == beast::http::field::retry_after && !in_body)
      retry_after = parse_retry_after({value.data(), value.size()});
  }
  void on_header_impl(error_code& ec) override {
    in_body = true;
    const auto length = content_length();
    if (length && *length > bounds.body_bytes && !is_done())
      too_large(ec);  // no byte of it need be waited for
  }
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
  std::size_t on_body_impl(string_view bytes, error_code& ec) override {
    body += bytes.size();
    if (body > bounds.body_bytes) too_large(ec);
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t size, string_view, error_code& ec) override {
    if (size > bounds.body_bytes) too_large(ec);
  }
  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code& ec) override {
    return on_body_impl(bytes, ec);
  }
  void on_finish_impl(error_code&) override {}

  void too_large(error_code& ec) {
    large = true;
    ec = stop();
  }

  const Bounds bounds;
  int status = 0;
  std::chrono::seconds retry_after{0};
  size_t body = 0;
  std::string held;
  int interim = 0;
  bool in_body = false, large = false, failed = false, extra = false;
};

HttpAnswerParser::HttpAnswerParser(Bounds bounds) : impl_(std::make_unique<Impl>(bounds)) {}
HttpAnswerParser::~HttpAnswerParser() = default;

void HttpAnswerParser::feed(std::string_view bytes) {
  impl_->held.append(bytes);
  while (!settled() && !impl_->failed && !impl_->held.empty()) {
    error_code ec;
    const size_t used = impl_->put({impl_->held.data(), impl_->held.size()}, ec);
    impl_->held.erase(0, used);
    if (impl_->large) return;
    if (ec && ec != beast::http::error::need_more) {
      impl_->failed = true;
    } else if (impl_->is_done() && impl_->status / 100 == 1) {
      // 101 would hand the connection to another protocol, which nobody asked for.
      const int interim = impl_->interim + 1;
      const Bounds bounds = impl_->bounds;
      const bool refused = impl_->status == 101 || interim > bounds.interim_answers;
      std::string held = std::move(impl_->held);
      impl_ = std::make_unique<Impl>(bounds);
      impl_->interim = interim;
      impl_->held = std::move(held);
      impl_->failed = refused;
    } else if (ec) {
      if (impl_->held.size() > impl_->bounds.head_bytes)
        impl_->failed = true;  // no end of a head or chunk head
      return;
    }
  }
  if (settled() && !impl_->held.empty()) impl_->extra = true;
}

bool HttpAnswerParser::feed_end() {
  if (settled()) return true;
  if (impl_->failed || !impl_->got_some() || !impl_->in_body) return false;
  error_code ec;
  impl_->put_eof(ec);
  return !ec && impl_->is_done();
}

bool HttpAnswerParser::settled() const {
  return impl_->large || (impl_->in_body && impl_->is_done() && impl_->status / 100 != 1);
}
bool HttpAnswerParser::bad() const {
  return impl_->failed;
}
bool HttpAnswerParser::started() const {
  return impl_->got_some() || impl_->interim > 0;
}
bool HttpAnswerParser::keep_alive() const {
  return settled() && !impl_->large && !impl_->extra && impl_->keep_alive();
}
int HttpAnswerParser::status() const {
  return impl_->status;
}
std::chrono::seconds HttpAnswerParser::retry_after() const {
  return impl_->retry_after;
}

}  // namespace tailrace
