/** Of a report in HTML. Colours have a contrast of at least 4.5 to 1 on their ground, light and dark. */
export const style = `
:root {
  --ground: #f6f7f9; --sheet: #ffffff; --ink: #1c2128; --soft: #57606a; --line: #d8dee4; --code: #eef1f4;
  --error: #b42318; --warning: #8a5a00; --note: #3b5f8a; --good: #1a6b3c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1318; --sheet: #171c23; --ink: #e4e8ee; --soft: #9aa5b1; --line: #2d343d; --code: #212831;
    --error: #ff8a7a; --warning: #f0b64a; --note: #8fb8ea; --good: #6fd198;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 60rem; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
h1 { margin: 0; font-size: 1.5rem; }
h2 { margin: 0; font-size: 1.15rem; overflow-wrap: anywhere; }
h3 { margin: 0; font-size: 1rem; }
h3 small { display: inline-block; margin-left: .5rem; color: var(--soft); font: .75rem ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; }
p { margin: .35rem 0; }
.made, .what { color: var(--soft); }
code, pre, ul { font-family: ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; }
.home {
  margin-top: 1.5rem; padding: 1.25rem 1.5rem 1.5rem; background: var(--sheet); border: 1px solid var(--line); border-radius: 10px;
}
.badge { display: inline-block; margin: .15rem .3rem .15rem 0; padding: .05rem .6rem; border: 1px solid currentColor; border-radius: 1rem; font-size: .85rem; }
.error { color: var(--error); } .warning { color: var(--warning); } .note { color: var(--note); } .good { color: var(--good); }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .2rem 1rem; margin: .8rem 0 0; font-size: .9rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
article { margin-top: 1.1rem; padding: .1rem 0 .1rem 1rem; border-left: 4px solid currentColor; }
article .severity { color: var(--mark); text-transform: uppercase; font-size: .72rem; letter-spacing: .05em; margin-right: .25rem; }
article.error { --mark: var(--error); } article.warning { --mark: var(--warning); } article.note { --mark: var(--note); }
article h3, article p, article li { color: var(--ink); }
article li { overflow-wrap: anywhere; }
article .more { color: var(--soft); list-style: none; }
article ul { margin: .4rem 0; padding-left: 1.2rem; font-size: .82rem; line-height: 1.55; }
article pre { margin: .5rem 0 0; padding: .45rem .75rem; background: var(--code); border-radius: 6px; overflow-x: auto; font-size: .85rem; color: var(--ink); }
.fix::before { content: "What to do: "; color: var(--soft); }
@media print {
  body { max-width: none; padding: 0; background: none; }
  .home { border: none; padding: 0; } article { break-inside: avoid; }
}
`
