#include "web/gzip.h"

#include <zlib.h>

#include <array>
#include <charconv>
#include <new>

#include "base/text.h"

namespace tailrace {

bool accepts_gzip(std::string_view accept_encoding) {
  double gzip = -1, any = -1;
  for_each_piece(accept_encoding, ',', [&](std::string_view coding) {
    double quality = 1;
    std::string_view name;
    for_each_piece(coding, ';', [&](std::string_view part) {
      if (name.empty()) {
        name = part;
      } else if (part.size() > 2 && iequals(part.substr(0, 2), "q=")) {
        if (std::from_chars(part.data() + 2, part.data() + part.size(), quality).ec != std::errc{})
          quality = 0;
      }
    });
    if (iequals(name, "gzip") || iequals(name, "x-gzip")) gzip = quality;
    if (name == "*") any = quality;
  });
  return gzip >= 0 ? gzip > 0 : any > 0;
}

GzipStream::GzipStream() : stream_(std::make_unique<z_stream>()) {
  constexpr int kGzipFormat = 15 + 16, kMemory = 8;
  if (deflateInit2(stream_.get(), Z_BEST_SPEED, Z_DEFLATED, kGzipFormat, kMemory, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
}

GzipStream::~GzipStream() {
  deflateEnd(stream_.get());
}

void GzipStream::write(std::string_view bytes, std::string& out, bool last) {
  stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream_->avail_in = static_cast<uInt>(bytes.size());
  std::array<char, 16 * 1024> room;
  do {
    stream_->next_out = reinterpret_cast<Bytef*>(room.data());
    stream_->avail_out = static_cast<uInt>(room.size());
    deflate(stream_.get(), last ? Z_FINISH : Z_NO_FLUSH);
    out.append(room.data(), room.size() - stream_->avail_out);
  } while (stream_->avail_out == 0);  // Z_FINISH too: it leaves room only when it is done
}

}  // namespace tailrace
