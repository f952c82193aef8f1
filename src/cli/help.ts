/** What `alta-auth --help` prints. */
export const help = `alta-auth: Cesbo-Alta-style authorization for plain nginx

Usage: alta-auth [command]

Commands:
  serve      run the gate until SIGTERM or SIGINT (what happens without a command)
  explain    what is decided about a request, and why: alta-auth explain URL
               --ip ADDRESS --ua USER-AGENT --playback-id ID   whose request it is
               --direct   ask the backend from here, not the gate that runs
               --json     for machines
  check      look for what is wrong with settings, backend, gate and nginx, and tell the remedies
               --json     for machines
  config     print the settings as they count, secrets masked, and where each comes from

Options:
  -h, --help       this text
  -v, --version    the version

Settings come from environment variables and from .env in the working directory. The environment wins.
Where neither says BACKEND_URL, explain, check and config read /etc/alta-auth/alta-auth.env, the service's own.
BACKEND_URL is the only one that must be set, for example:

  BACKEND_URL=http://127.0.0.1:6000/auth alta-auth serve

Exit codes: 0 ended as asked, 1 could not start, broke, or a check failed, 2 settings or command line are not right.
`
