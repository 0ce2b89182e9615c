import { describe, expect, it } from "vitest";
import { judge, read, text, write } from "../src/pages/settings/people/table";

const known = {
  emails: new Set(["ana@exemplo.com"]),
  services: new Set(["vendas", "suporte tecnico"]),
  profiles: new Set(["qualidade"]),
};

describe("a table of people", () => {
  it("is read by the names of its columns, whatever separates them", () => {
    const made = [{ line: 2, cells: { name: "Rui", email: "rui@exemplo.com" } }];
    expect(read("Nome;Email\nRui;rui@exemplo.com\n")).toEqual(made);
    expect(read('\uFEFFNome,"E-mail"\r\nRui,rui@exemplo.com')).toEqual(made);
    expect(read("Pessoa;Idade\nRui;30")).toBeNull();
  });

  it("keeps the lines where they were, and what is quoted whole", () => {
    const people =
      read('Nome;Email;Servicos\n\n"Silva; Rui";rui@exemplo.com;"Vendas,Suporte"') ?? [];
    expect(people[0]?.line).toBe(3);
    expect(write(people).split("\n")).toEqual([
      "nome;email;papel;perfil;servicos;ramal;senha",
      "",
      '"Silva; Rui";rui@exemplo.com;;;Vendas,Suporte;;',
    ]);
  });

  it("is judged line by line", () => {
    const people = read(
      [
        "Nome;Email;Papel;Servicos;Perfil",
        "Rui;rui@exemplo.com;Atendente;Suporte Técnico, vendas;Qualidade",
        "Bia;nada;;;",
        "Ana;ana@exemplo.com;;;",
        "Rui de novo;RUI@exemplo.com;;;",
        ";zoe@exemplo.com;;;",
        "Leo;leo@exemplo.com;chefe;;",
        "Eva;eva@exemplo.com;;Compras;",
      ].join("\n"),
    );
    const faults = judge(people ?? [], known);
    expect([...faults].map(([line, { field, code }]) => `${line} ${field} ${code}`)).toEqual([
      "3 email invalid",
      "4 email taken",
      "5 email taken",
      "6 name missing",
      "7 role invalid",
      "8 services reference",
    ]);
  });

  it("may come from an old spreadsheet", async () => {
    const old = new Blob([new Uint8Array([0x4a, 0x6f, 0xe3, 0x6f])]);
    expect(await text(old)).toBe("João");
    expect(await text(new Blob(["João"]))).toBe("João");
  });
});
