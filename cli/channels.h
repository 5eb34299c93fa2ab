#pragma once
// `tailrace channels`: which there are, made, changed and removed through the API.

namespace tailrace {

int run_channels(int argc, char** argv);

}  // namespace tailrace
