// Runs a command and prints, when it ends, which permissions are left.

addEventListener("unload", () => {
  const left = (["net", "env", "read", "write"] as const)
    .filter((name) => Deno.permissions.querySync({ name }).state === "granted");
  const variables = ["PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "INIT_CWD"]
    .filter((variable) =>
      Deno.permissions.querySync({ name: "env", variable }).state === "granted"
    );
  console.error(`left: ${[...left, ...variables].join(" ")}`);
});

const [command, ...args] = Deno.args;
Object.defineProperty(Deno, "args", { value: args });
const { main } = await import("../../src/cli/main.ts");
const module = await import(`../../src/cli/${command}.ts`);
await main(module[command!]);
