// A Python program in a form in which two that mean the same by their words alone are equal: spaces, comments, quotes, semicolons,
// brackets around a whole value, 0.5 or .5, a body behind its colon or below it, and the names that the author has chosen do not count.
// `name` is the function that is asked for, `given` a list of imports that are there already. A program that is odd gets a question mark.
window.plainPython = (text, name, given = []) => {
  const TOKEN = /([rbfu]{0,2})("""[^]*?"""|'''[^]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|#.*|\\\n|\n|[ \t\r]+|0[xob][\da-f_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[-+]?\d+)?j?|[\p{L}_][\p{L}\d_]*|\*\*=|\/\/=|>>=|<<=|->|:=|[-+*/%@&|^<>=!]=|\*\*|\/\/|<<|>>|./giu;
  const OPENS = /^(def|class|for|while|if|elif|else|with|try|except|finally)$/;
  const WORD = /^[\p{L}_][\p{L}\d_]*$/u;
  const KEYWORD = /^(and|as|assert|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield|None|True|False)$/;
  const deeper = token => "([{".includes(token) ? 1 : ")]}".includes(token) ? -1 : 0;
  const first = (tokens, fits) => { // place of the first token outside of brackets that fits
    let depth = 0;
    return tokens.findIndex(token => { const here = depth === 0 && fits(token); depth += deeper(token); return here; });
  };
  const bare = tokens => { // without brackets around the whole
    let depth = 0;
    const closes = tokens.findIndex(token => (depth += deeper(token)) === 0);
    const inner = tokens.slice(1, -1);
    const whole = tokens[0] === "(" && inner.length && closes === tokens.length - 1;
    return whole && first(inner, token => token === "for" || token === ":=") < 0 ? bare(inner) : tokens;
  };
  const once = tokens => { // brackets within brackets, as in sum((x for x in xs)), but not those of a pair
    for (let i = 0; i < tokens.length - 3; i++) {
      if (tokens[i] !== "(" || tokens[i + 1] !== "(") continue;
      const length = first(tokens.slice(i + 2), token => ")]}".includes(token));
      const inner = tokens.slice(i + 2, i + 2 + length);
      const pair = first(inner, token => token === "for") < 0 && first(inner, token => /^(,|=|:=|\*\*?)$/.test(token)) >= 0;
      if (length > 0 && !pair && tokens[i + 3 + length] === ")") return once([...tokens.slice(0, i + 1), ...inner, ...tokens.slice(i + 3 + length)]);
    }
    return tokens;
  };
  const lines = [];
  const statement = (tokens, level) => {
    const end = first(tokens, token => token === ";");
    if (end >= 0) { statement(tokens.slice(0, end), level); statement(tokens.slice(end + 1), level); return; }
    const value = tokens[0] === "return" ? 1 : first(tokens, token => /^[^=!<>]?[^=!<>]?=$/.test(token)) + 1;
    if (tokens.length) lines.push([level, value ? [...tokens.slice(0, value), ...bare(once(tokens.slice(value)))] : once(tokens)]);
  };
  const stack = [0];
  let tokens = [], indent = 0, depth = 0, start = true, open = false;
  const finish = () => {
    if (tokens.length) {
      if (indent > stack.at(-1)) { if (!open) lines.push([0, ["?"]]); stack.push(indent); }
      else if (open) lines.push([0, ["?"]]);
      while (indent < stack.at(-1)) stack.pop();
      if (indent !== stack.at(-1)) lines.push([0, ["?"]]);
      const level = stack.length - 1;
      const colon = OPENS.test(tokens[0]) ? first(tokens, token => token === ":") : -1;
      open = colon === tokens.length - 1;
      if (colon < 0) statement(tokens, level);
      else {
        const asks = /^(if|elif|while)$/.test(tokens[0]);
        lines.push([level, asks ? [tokens[0], ...bare(once(tokens.slice(1, colon))), ":"] : tokens.slice(0, colon + 1)]);
        statement(tokens.slice(colon + 1), level + 1);
      }
    }
    [tokens, indent, start] = [[], 0, true];
  };
  for (const [token, prefix, string] of `${text}\n`.matchAll(TOKEN)) {
    if (token === "\n") { if (depth <= 0) finish(); }
    else if (/^[ \t\r]+$/.test(token)) { if (start && depth <= 0) indent = token.length; }
    else if (token[0] !== "#" && token !== "\\\n") {
      start = false;
      depth += deeper(token);
      const quotes = string && (/^("""|''')/.test(string) ? 3 : 1);
      if (string && !prefix && !string.includes("\\")) tokens.push(JSON.stringify(string.slice(quotes, -quotes)));
      else if (!string && /^[\d.]+e?[-+\d.]*$/i.test(token) && /[.e]/i.test(token) && /\d/.test(token)) tokens.push(`f${Number(token)}`);
      else tokens.push(token);
    }
  }
  if (depth || open || /^\t/m.test(text) && /^ /m.test(text)) lines.push([0, ["?"]]);

  const own = new Set(), kept = new Set([name]); // names that the author chose, and such as must stay
  for (const [, tokens] of lines) {
    const equals = first(tokens, token => token === "=");
    let inside = 0;
    tokens.forEach((token, i) => {
      inside += deeper(token);
      const before = tokens[i - 1], after = tokens[i + 1];
      if (/^[rb]*f[rb]*["']/i.test(token)) kept.add("*"); // its words are not looked into
      if (token === "for" || token === "lambda") {
        const end = tokens.indexOf(token === "for" ? "in" : ":", i);
        for (let k = i + 1; k < end; k++) if (tokens[k - 1] !== "=") own.add(tokens[k]);
      }
      if (!WORD.test(token)) return;
      const parameter = tokens[0] === "def" && inside === 1 && /^(\(|,|\*|\*\*)$/.test(before);
      if (parameter || before === "def" || after === ":=") own.add(token);
      else if (inside && after === "=") kept.add(token);
      if (i < equals && !inside && before !== "." && !/^[.[(]$/.test(after)) own.add(token);
    });
  }
  const names = new Map();
  const renamed = (token, i, tokens) => {
    if (!WORD.test(token) || KEYWORD.test(token) || !own.has(token) || kept.has(token) || kept.has("*") || tokens[i - 1] === ".") return token;
    if (!names.has(token)) names.set(token, `·${names.size}`);
    return names.get(token);
  };
  const written = lines.map(([level, tokens]) => " ".repeat(level) + tokens.map(renamed).join(" "));
  const there = new Set(given.map(line => line.match(/[^\s,]+|,/g).join(" ")));
  return written.filter(line => !there.has(line)).join("\n");
};
