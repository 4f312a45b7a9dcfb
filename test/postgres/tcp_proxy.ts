/** Stands between a server and its clients, to be switched off and on: a network that fails. */
export class TcpProxy implements Disposable {
  readonly #target: Deno.ConnectOptions;
  readonly port: number;
  #listener: Deno.Listener | undefined;
  readonly #connections = new Set<Deno.Conn>();

  constructor(target: Deno.ConnectOptions) {
    this.#target = target;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = (this.#listener.addr as Deno.NetAddr).port;
    this.#accept(this.#listener);
  }

  /** Breaks all connections; new ones are refused. */
  switchOff(): void {
    this.#listener?.close();
    this.#listener = undefined;
    for (const connection of this.#connections) close(connection);
    this.#connections.clear();
  }

  /** Takes connections again. */
  switchOn(): void {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: this.port });
    this.#accept(this.#listener);
  }

  [Symbol.dispose](): void {
    this.switchOff();
  }

  async #accept(listener: Deno.Listener): Promise<void> {
    try {
      for await (const client of listener) this.#connect(client, listener);
    } catch {
      // it is switched off
    }
  }

  async #connect(client: Deno.Conn, listener: Deno.Listener): Promise<void> {
    const server = await Deno.connect(this.#target).catch(() => undefined);
    // It may have been switched off meanwhile.
    if (!server || listener !== this.#listener) {
      close(client);
      if (server) close(server);
      return;
    }
    for (const [from, to] of [[client, server], [server, client]] as const) {
      this.#connections.add(from);
      from.readable.pipeTo(to.writable).catch(() => {}).finally(() => {
        close(client);
        close(server);
      });
    }
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // it is closed already
  }
}
