#pragma once
// `tailrace credentials`: who beside the admin may use the API.

namespace tailrace {

int run_credentials(int argc, char** argv);

}  // namespace tailrace
