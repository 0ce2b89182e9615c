// A server with one visitor, over real HTTP and WebSocket, around the model: for the browser.

import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type WebSocket, WebSocketServer } from "ws";
import type { Config } from "../src/config.ts";
import type { ClientFrame } from "../src/protocol.ts";
import { ModelServer, type Peer } from "./model.ts";

const DIST = join(import.meta.dirname, "../dist");

/** How the mock behaves. */
export interface MockOptions {
  config?: Partial<Config>;
  /** Refuses WebSockets, as some networks do. */
  hasNoSockets?: boolean;
  /** The shop is on the chat's site: its storage is shut in fewer browsers. */
  isSameSite?: boolean;
  /** How long an upload takes at least. */
  upload_ms?: number;
}

export class Mock {
  readonly model: ModelServer;
  readonly options: MockOptions;
  #server: Server;
  /** The same at another port: another origin, and the same site. */
  #neighbour: Server;
  #sockets = new Set<WebSocket>();
  #uploads = new Map<string, { name: string; mime: string; body: Buffer }>();
  /** Polls that wait. */
  #polls = new Set<() => void>();
  /** While it is down nobody gets in. */
  #isDown = false;

  private constructor(options: MockOptions) {
    this.options = options;
    this.model = new ModelServer(() => Date.now(), {
      survey: SURVEY,
      file: (id) => this.#content(id),
    });
    const serve = (request: IncomingMessage, response: ServerResponse) => {
      this.#serve(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    };
    this.#server = createServer(serve);
    this.#neighbour = createServer(serve);
  }

  static async start(options: MockOptions = {}): Promise<Mock> {
    const mock = new Mock(options);
    const sockets = new WebSocketServer({ noServer: true });
    mock.#server.on("upgrade", (request, socket, head) => {
      if (mock.options.hasNoSockets || mock.#isDown) socket.destroy();
      else sockets.handleUpgrade(request, socket, head, (client) => mock.#join(client));
    });
    for (const server of [mock.#server, mock.#neighbour]) {
      await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    }
    return mock;
  }

  get origin(): string {
    return origin(this.#server);
  }

  /** A shop on another site than the chat, or on the same. */
  get shop(): string {
    const isNear = this.options.isSameSite === true;
    return isNear ? origin(this.#neighbour) : this.origin.replace("127.0.0.1", "localhost");
  }

  /** Breaks every connection; nobody gets in until it is up again. */
  goDown(): void {
    this.#isDown = true;
    for (const socket of this.#sockets) socket.terminate();
    for (const answer of this.#polls) answer();
  }

  comeUp(): void {
    this.#isDown = false;
  }

  async stop(): Promise<void> {
    this.goDown();
    for (const server of [this.#server, this.#neighbour]) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  }

  #join(client: WebSocket): void {
    this.#sockets.add(client);
    const peer = this.model.join((frame) => client.send(JSON.stringify(frame)));
    client.on("message", (data) => {
      this.model.handle(peer, JSON.parse(String(data)) as ClientFrame);
      for (const answer of this.#polls) answer();
    });
    client.on("close", () => {
      this.#sockets.delete(client);
      this.model.leave(peer);
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", this.origin);
    const chat = "/webchat/c1";
    const tag = `<script async src="${this.origin}${chat}/widget.js"></script>`;
    if (pathname === "/") return page(response, SHOP.replace("{{widget}}", tag));
    if (pathname === "/favicon.ico") return void response.writeHead(204).end();
    if (pathname.startsWith("/demo")) return this.#demo(pathname, tag, response);
    if (pathname === `${chat}/widget.js`) {
      const script = file("widget.js").replace("__CONFIG__", JSON.stringify(this.#config()));
      response.writeHead(200, { "content-type": "text/javascript" }).end(script);
    } else if (pathname === `${chat}/frame`) {
      response.setHeader("content-security-policy", POLICY);
      const config = JSON.stringify(this.#config()).replaceAll("<", "\\u003c");
      page(response, file("frame.html").replace("{{config}}", config));
    } else if (pathname.startsWith("/webchat/assets/")) {
      const type = pathname.endsWith(".css") ? "text/css" : "text/javascript";
      response.writeHead(200, { "content-type": type }).end(file(pathname.slice(9)));
    } else if (this.#isDown) {
      request.socket.destroy();
    } else if (pathname === `${chat}/frames` && request.method === "POST") {
      this.#posted(request, response, await read(request));
    } else if (pathname === `${chat}/frames`) {
      this.#poll(searchParams, response);
    } else if (pathname === `${chat}/uploads`) {
      const name = searchParams.get("name") ?? "file";
      const mime = request.headers["content-type"] ?? "application/octet-stream";
      await this.#upload({ name, mime, body: await read(request) }, response);
    } else if (pathname.startsWith(`${chat}/files/`)) {
      const found = this.#uploads.get(pathname.slice(chat.length + 7));
      response.writeHead(found ? 200 : 404, { "content-type": found?.mime ?? "text/plain" });
      response.end(found?.body);
    } else {
      response.writeHead(404).end();
    }
  }

  #demo(path: string, tag: string, response: ServerResponse): void {
    const name = path === "/demo" ? "index.html" : path.slice(6);
    const type = {
      html: "text/html",
      css: "text/css",
      js: "text/javascript",
      svg: "image/svg+xml",
    };
    const text = file(join("demo", name)).replace("{{widget}}", tag);
    const kind = type[name.split(".").at(-1) as keyof typeof type] ?? "text/plain";
    response.writeHead(200, { "content-type": kind }).end(text);
  }

  #posted(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const frames: object[] = [];
    const peer: Peer = this.model.join((frame) => frames.push(frame));
    // Messages come by the poll.
    const isHello = (frame: ClientFrame) => frame.type === "hello";
    const asked = (JSON.parse(String(body)) as { frames: ClientFrame[] }).frames;
    if (!request.headers.authorization && !asked.some(isHello)) {
      response.writeHead(401).end(JSON.stringify({ frames: [{ type: "error", code: "token" }] }));
      return;
    }
    for (const frame of asked) this.model.handle(peer, frame);
    this.model.leave(peer);
    for (const answer of this.#polls) answer();
    const isTold = (frame: object) => "type" in frame && frame.type !== "messages";
    response.end(JSON.stringify({ frames: frames.filter(isTold) }));
  }

  #poll(query: URLSearchParams, response: ServerResponse): void {
    const frames: object[] = [];
    const peer = this.model.join((frame) => frames.push(frame));
    const look = () => {
      if (String(this.model.state.version) !== query.get("state")) {
        frames.push({ type: "state", ...this.model.state });
      }
      this.model.handle(peer, { type: "resume", after_seq: Number(query.get("after_seq")) });
    };
    const answer = () => {
      if (frames.length === 0) look();
      if (frames.length === 0 && !this.#isDown) return;
      clearTimeout(timer);
      this.#polls.delete(answer);
      this.model.leave(peer);
      response.end(JSON.stringify({ frames }));
    };
    const timer = setTimeout(() => {
      this.#polls.delete(answer);
      response.end('{"frames":[]}');
    }, 25_000);
    this.#polls.add(answer);
    answer();
    const told = peer.transmit;
    peer.transmit = (frame) => {
      told(frame);
      answer();
    };
  }

  async #upload(
    file: { name: string; mime: string; body: Buffer },
    response: ServerResponse,
  ): Promise<void> {
    await new Promise((done) => setTimeout(done, this.options.upload_ms ?? 0));
    const id = `u${this.#uploads.size + 1}`;
    this.#uploads.set(id, file);
    response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify({ id }));
  }

  #content(id: string) {
    const { name, mime, body } = this.#uploads.get(id) ?? { name: "?", mime: "?", body: "" };
    const kind = mime.startsWith("image/") ? ("image" as const) : ("document" as const);
    const url = `/webchat/c1/files/${id}`;
    return { kind: "file" as const, file: { kind, name, mime, bytes: body.length, url } };
  }

  #config(): Config {
    return {
      v: 1,
      channel: "c1",
      name: "Casa Aurora",
      colour: "#1f6f5c",
      position: "right",
      theme: "auto",
      language: "auto",
      frame: "/webchat/c1/frame",
      logo: null,
      origins: [this.shop],
      greeting: { "pt-BR": "Oi! Como podemos ajudar?", en: "Hi! How can we help?" },
      form: null,
      files: { bytes_max: 15_728_640, accept: "image/*,application/pdf" },
      transcript: true,
      ...this.options.config,
    };
  }
}

const file = (name: string) => readFileSync(join(DIST, name), "utf8");

function origin(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function page(response: ServerResponse, html: string): void {
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(html);
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

const SURVEY = {
  id: "s1",
  questions: [
    { id: "csat", kind: "stars", text: "Que nota você dá?", required: true, choices: [] },
    { id: "nps", kind: "nps", text: "Você nos recomendaria?", required: false, choices: [] },
    { id: "more", kind: "text", text: "Quer contar mais?", required: false, choices: [] },
  ],
} as const satisfies object as never;

/** As strict as the server's: what breaks by it breaks here. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'";

const SHOP = `<!doctype html><html lang="pt-BR"><head><title>Loja</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
{{widget}}</head>
<body><h1>Loja</h1><p>Uma loja qualquer.</p><input aria-label="Busca"></body></html>`;
