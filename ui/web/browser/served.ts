// Real servers for the tests, and the browser that looks at them.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

export const ROOT = resolve(import.meta.dirname, "../../..");
const TAPPER = join(ROOT, ".venv/bin/tapper");
const PYTHON = join(ROOT, ".venv/bin/python");
const CAPTURE = join(ROOT, "tapper/demo/shop.pcap.zst");
const NAMES = join(ROOT, "tapper/demo/names.yaml");
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Why these tests can't run here; null: they can. */
export const missing = [
  [CHROMIUM, "no Chromium (set CHROMIUM to its path)"],
  [TAPPER, "tapper is not built (make)"],
  [join(ROOT, "agent/_engine.abi3.so"), "tapper's engine is not built (make)"],
  [join(ROOT, "ui/web/dist/index.html"), "the page is not built (make)"],
].find(([path]) => !existsSync(path!))?.[1];
if (missing) console.warn(`browser tests are skipped: ${missing}`);

/** A bound for one condition on a busy machine, ms. */
export const LONG = 30_000;

export class Served {
  private said = "";
  private constructor(
    private readonly process: ChildProcess,
    readonly directory: string,
  ) {
    for (const stream of [process.stdout!, process.stderr!]) {
      stream.on("data", (data: Buffer) => {
        this.said += data.toString();
      });
    }
  }

  static run(directory: string, ...args: string[]): Served {
    const child = spawn(TAPPER, args, { cwd: directory, stdio: ["ignore", "pipe", "pipe"] });
    return new Served(child, directory);
  }

  /** What the process says that fits, once it says it. */
  async says(pattern: RegExp): Promise<RegExpMatchArray> {
    const until = Date.now() + LONG;
    while (Date.now() < until) {
      const found = this.said.match(pattern);
      if (found) return found;
      if (this.process.exitCode !== null) break;
      await new Promise((wake) => setTimeout(wake, 50));
    }
    throw new Error(`${this.process.spawnargs.join(" ")} never said ${pattern}: ${this.said}`);
  }

  async ended(): Promise<void> {
    if (this.process.exitCode === null) await new Promise((wake) => this.process.once("exit", wake));
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null) return;
    this.process.kill("SIGINT");
    const end = setTimeout(() => this.process.kill("SIGKILL"), 10_000);
    await this.ended();
    clearTimeout(end);
  }
}

export function scratch(): string {
  return mkdtempSync(join(tmpdir(), "tapper-web-"));
}

export function forget(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

const URL_SAID = /(http:\/\/127\.0\.0\.1:\d+\/#\S+)/;

/** The recorded shop, or another capture, as `tapper read --web` serves it: process and URL. */
export async function shop(directory: string, capture = CAPTURE, names = NAMES): Promise<[Served, string]> {
  const served = Served.run(directory, "read", capture, "--names", names, "--web", "--no-browser");
  return [served, (await served.says(URL_SAID))[1]!];
}

/** A collector whose front ends ask at `port` (0: any). */
export async function collector(directory: string, port = 0): Promise<[Served, string, string]> {
  const served = Served.run(
    directory,
    ...["collector", "--listen", "127.0.0.1:0", "--api-listen", `127.0.0.1:${port}`, "--credentials", "keys"],
    ...["--names", NAMES, "--save", "live.tap"],
  );
  const url = (await served.says(URL_SAID))[1]!;
  return [served, url, (await served.says(/agents: (\S+)/))[1]!];
}

/** Ships the recorded shop to a collector as if it were live. */
export async function replay(directory: string, agents: string, speed: string): Promise<Served> {
  return Served.run(
    directory,
    ...["replay", CAPTURE, "--speed", speed, "--collector", agents],
    ...["--token-file", "keys/token", "--ca", "keys/ca.pem"],
  );
}

/** A capture made by one of the scripts beside this file, and the names it wrote beside it if it writes some. */
export function made(directory: string, script: string): [capture: string, names: string] {
  const made = [join(directory, "made.pcap"), join(directory, "made.yaml")] as [string, string];
  execFileSync(PYTHON, [join(import.meta.dirname, script), ...made], { cwd: ROOT });
  return made;
}

/** What a click downloads, and the name it is given. */
export async function downloaded(page: Page, act: () => Promise<void>): Promise<[data: Buffer, name: string]> {
  const [download] = await Promise.all([page.waitForEvent("download"), act()]);
  return [readFileSync(await download.path()), download.suggestedFilename()];
}

export async function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

/** A page on which whatever goes wrong is kept: errors, alerts, what the content security policy refused. */
export async function opened(
  browser: Browser,
  url: string,
  options: { dark?: boolean; width?: number; height?: number } = {},
): Promise<{ page: Page; wrong: string[] }> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1440, height: options.height ?? 900 },
    colorScheme: options.dark ? "dark" : "light",
    acceptDownloads: true,
    permissions: ["clipboard-read", "clipboard-write"],
    timezoneId: "UTC",
  });
  context.setDefaultTimeout(LONG);
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("dialog", (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    if (/content security policy/i.test(message.text())) wrong.push(message.text());
  });
  await page.goto(url);
  await page.locator(".service").first().waitFor();
  return { page, wrong };
}
