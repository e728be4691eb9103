/**
 * The programs that the servers are tested with: programs that people have on their machines.
 *
 * @module
 */

/** Each program, or a file that is there with it, and the Debian package that contains it. */
const PEERS: Readonly<Record<string, string>> = {
  "nc": "netcat-openbsd",
  "ncat": "ncat",
  "telnet": "telnet",
  "tmux": "tmux",
  "nats-server": "nats-server",
  "redis-server": "redis-server",
  "memcached": "memcached",
  "haproxy": "haproxy",
  "zsh": "zsh",
  "fish": "fish",
  "chromium": "chromium",
  "curl": "curl",
  "faketime": "faketime",
  "promtool": "prometheus",
  "/usr/lib/python3/dist-packages/prometheus_client": "python3-prometheus-client",
};

/** Installs the missing programs with `apt-get`, if this user is root or may become root. */
export async function installPeers(): Promise<void> {
  const missing: string[] = [];
  for (const [program, name] of Object.entries(PEERS)) {
    if (!await succeeds(["sh", "-c", `command -v ${program} || test -e ${program}`])) {
      missing.push(name);
    }
  }
  if (missing.length === 0) return;
  console.log(`Installing ${missing.join(", ")}`);
  const install = ["install", "--yes", "--quiet=2", "--no-install-recommends", ...missing];
  // A program that is still missing fails its tests, by name.
  const apt = Deno.uid() === 0 ? ["apt-get"] : ["sudo", "--non-interactive", "apt-get"];
  if (!await succeeds([...apt, "update", "--quiet=2"]) || !await succeeds([...apt, ...install])) {
    console.log(`Cannot install ${missing.join(", ")} with apt-get`);
  }
}

/** Runs a command silently and returns whether it succeeded. */
async function succeeds([command = "", ...args]: readonly string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(command, {
      args,
      env: { DEBIAN_FRONTEND: "noninteractive" },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    // There is no such command here.
    return false;
  }
}
