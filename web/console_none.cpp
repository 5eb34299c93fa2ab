// In place of the console's files where the build had no Node.
#include "web/console_page.h"

namespace tailrace {

std::span<const ConsoleFile> console_files() {
  return {};
}

}  // namespace tailrace
