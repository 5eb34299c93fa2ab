#pragma once
// Answers in gzip, for who asks for it.

#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;

namespace tailrace {

/// Whether an Accept-Encoding field lets gzip through (RFC 9110 section 12.5.3); no field: no.
bool accepts_gzip(std::string_view accept_encoding);

/// One gzip member, made as its bytes come, fast rather than small: 3 to 5 % of a scrape's size. Throws
/// std::bad_alloc.
class GzipStream {
 public:
  GzipStream();
  ~GzipStream();
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  /// Appends to `out` what is ready; much of it may come later.
  void add(std::string_view bytes, std::string& out) { write(bytes, out, false); }
  /// Appends the rest. Nothing may follow.
  void finish(std::string& out) { write({}, out, true); }

 private:
  void write(std::string_view bytes, std::string& out, bool last);

  std::unique_ptr<z_stream_s> stream_;
};

}  // namespace tailrace
