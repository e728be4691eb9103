/**
 * The live page as one text. It is built from the files beside it by `deno task page`: do not edit it.
 *
 * @module
 */

/** The page. {{nonce}} stands wherever the nonce of an answer's Content-Security-Policy goes. */
export const LIVE_PAGE: string = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="referrer" content="no-referrer">
    <title>Handshake, live</title>
    <style nonce="{{nonce}}">
    :root {
  color-scheme: light dark;
}

* {
  box-sizing: border-box;
}

body {
  margin: 0 auto;
  max-width: 84rem;
  padding: 1.5rem 1.25rem 3rem;
  background: light-dark(#eef1f5, #0e1116);
  color: var(--figure-text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}

[hidden] {
  display: none !important;
}

h1,
h2,
h3,
p,
dl,
dd,
figure {
  margin: 0;
}

h1 {
  font-size: 1.6rem;
  line-height: 1.2;
  letter-spacing: -0.015em;
  overflow-wrap: anywhere;
}

h2 {
  font-size: 1.0625rem;
  letter-spacing: -0.005em;
}

header {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  justify-content: space-between;
  gap: 0.5rem 1.5rem;
  margin-bottom: 1.25rem;
}

.faint {
  color: var(--figure-faint);
  font-size: 0.9rem;
  overflow-wrap: anywhere;
}

main {
  display: grid;
  grid-template-columns: minmax(0, 1fr);
  gap: 1rem;
}

#state {
  padding: 0.3rem 0.9rem;
  border: 1px solid var(--figure-line);
  border-radius: 2rem;
  background: var(--figure-ground);
  font-size: 0.9rem;
}

#state::before {
  content: "";
  display: inline-block;
  width: 0.6em;
  height: 0.6em;
  margin-right: 0.5em;
  border-radius: 50%;
  background: var(--figure-faint);
}

#state[data-state="live"]::before {
  background: var(--figure-computing);
}

#state[data-state="silent"]::before,
#state[data-state="lost"]::before {
  background: var(--figure-rst);
}

#actions,
#counted,
.chart {
  padding: 1rem;
  border: 1px solid var(--figure-line);
  border-radius: 14px;
  background: var(--figure-ground);
}

#buttons {
  display: flex;
  flex-wrap: wrap;
  gap: 0.5rem;
  margin-top: 0.6rem;
}

button {
  min-height: 2.5rem;
  border: 1px solid var(--figure-line);
  border-radius: 8px;
  background: var(--figure-box);
  color: inherit;
  padding: 0.3rem 0.9rem;
  font: inherit;
  font-size: 0.9375rem;
  cursor: pointer;
}

button:hover:not(:disabled) {
  border-color: var(--figure-accent);
}

button:disabled {
  color: var(--figure-faint);
  cursor: default;
}

:focus-visible {
  outline: 2px solid var(--figure-accent);
  outline-offset: 2px;
}

#answer {
  min-height: 1.5em;
  margin-top: 0.5rem;
}

#charts {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr));
  gap: 1rem;
}

.chart {
  color: var(--figure-accent);
}

.chart h3 {
  color: var(--figure-faint);
  font-size: 0.875rem;
  font-weight: 600;
}

.chart .value {
  color: var(--figure-text);
  font-size: 1.0625rem;
  font-weight: 600;
  font-variant-numeric: tabular-nums;
}

.plot {
  position: relative;
  margin-top: 0.5rem;
}

.plot canvas {
  display: block;
  width: 100%;
  height: 72px;
  border: 0 solid var(--figure-line);
}

.plot .top {
  position: absolute;
  top: 2px;
  left: 0;
  padding: 0 0.3em 0 0;
  color: var(--figure-faint);
  font-size: 0.75rem;
  line-height: 1.3;
}

.chart .note {
  margin-top: 0.4rem;
  color: var(--figure-faint);
  font-size: 0.8125rem;
}

#counted-age {
  min-height: 1.5em;
}

#counters {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr));
  gap: 0.6rem 1rem;
  margin-top: 0.6rem;
}

#counters dt {
  color: var(--figure-faint);
  font-size: 0.8125rem;
}

#counters dd {
  font-size: 1.125rem;
  font-weight: 600;
  font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere;
}

@media (max-width: 480px) {
  body {
    padding: 1rem 0.75rem 2rem;
  }
}

    </style>
  </head>
  <body>
    <header>
      <div>
        <h1 id="name">Handshake</h1>
        <p id="about" class="faint">live view of a running server</p>
      </div>
      <p id="state" role="status">connecting …</p>
    </header>
    <main>
      <noscript><p>This page draws with JavaScript. Without it, <code>curl -N</code> on
<code>events</code> beside this page shows the same as text.</p></noscript>
      <section id="actions" aria-labelledby="actions-title" hidden>
        <h2 id="actions-title">Do something real</h2>
        <div id="buttons"></div>
        <p id="answer" class="faint" role="status"></p>
      </section>
      <model-figure id="figure" data-title="Who is where"></model-figure>
      <section id="charts" aria-label="The last minute"></section>
      <section id="counted" aria-labelledby="counted-title">
        <h2 id="counted-title">What the server counts</h2>
        <p id="counted-age" class="faint"></p>
        <dl id="counters"></dl>
      </section>
    </main>
    <script nonce="{{nonce}}">
    "use strict";(()=>{var Vt=[["µs",1],["ms",1e3],["s",1e6]],qe=[["",1],["k",1e3],["M",1e6],["G",1e9]],qt=[["B",1],["KiB",2**10],["MiB",2**20],["GiB",2**30],["TiB",2**40]],Fe="–",we=3;function x(r){return Y(r,Vt)}var Ve=[["min",60],["h",3600]];function Be(r){if(ve(r))return Fe;if(r>0&&r<1){let[t,n]=Ve.find(([,s])=>r*s>=1)??Ve[1],o=r*n,i=Math.round(o);return\`\${Math.abs(o-i)<.001&&i>0?i:Ke(o)} /\${t}\`}let e=Y(r,qe);return e.includes(" ")?\`\${e}/s\`:\`\${e} /s\`}function G(r){return Y(r,qe)}function k(r){return r.toLocaleString("en")}function We(r){return Y(ve(r)?r:Math.round(r),qt)}function Qe(r){return r===0||r===1?\`\${r*100} %\`:r<1e-4?"under 0.01 %":r<.1?\`\${(r*100).toFixed(2)} %\`:r>.99&&r<1?\`\${(Math.floor(r*1e4)/100).toFixed(2)} %\`:\`\${Math.round(r*100)} %\`}function ve(r){return r===null||Number.isNaN(r)}function Y(r,e){if(ve(r))return Fe;for(let[t,[n,o]]of e.entries()){let i=o===1&&Number.isInteger(r)?String(r):Ke(r/o),[,s]=e[t+1]??[];if(!(s!==void 0&&Number(i)*o>=s))return n===""?i:\`\${i} \${n}\`}return String(r)}function Ke(r){let e=r<1?1:Math.floor(Math.log10(r))+1,t=r.toFixed(Math.max(0,we-e));return Number(t)>=10**e&&e<we?r.toFixed(we-e-1):t}var ze={"three-clients":["Three clients","a long prime, an echo and a small prime"],"slow-client":["A slow client","it sends a byte at a time"],vanish:["A client that vanishes","it is gone without a word"],fifty:["Fifty at once","fifty clients connect at the same time"],burst:["A burst of 1,000","a thousand clients, as fast as they can"],"kill-worker":["Kill a worker","a thread or process of the server dies"]};var S=[{look:"accept",shape:"ring",words:"waits in the accept queue"},{look:"queue",shape:"ring",words:"waits for a thread"},{look:"reading",shape:"ring",words:"its peer is to send"},{look:"computing",shape:"disc",words:"computing"},{look:"writing",shape:"disc",words:"its peer is to take what was sent"},{look:"awaiting",shape:"ring",words:"another thread computes for it"},{look:"held",shape:"ring",words:"its loop computes for another"},{look:"closing",shape:"ring",words:"its conversation is over"},{look:"fin",shape:"ring",words:"ended with FIN"},{look:"rst",shape:"cross",words:"ended with RST"},{look:"ended",shape:"ring",words:"ended, not known how"}],Ge=new Map(S.map(({look:r,shape:e})=>[r,e]));function R({place:r,doing:e,ending:t}){switch(r){case"accept queue":return"accept";case"hand-over queue":case"taken":return"queue";case"thread":return Ft[e];case"closing":return"closing";case"ended":return t==="FIN"?"fin":t==="RST"?"rst":"ended"}}var Ft={waiting:"queue",reading:"reading",computing:"computing",writing:"writing","waiting for computing":"awaiting","waiting for the loop":"held"},Bt={ground:["#ffffff","#171b22"],box:["#f5f7fa","#1f252e"],well:["#ffffff","#161b22"],line:["#d9dfe8","#353e4b"],text:["#1a2230","#e8ecf2"],faint:["#566174","#a3afc0"],accent:["#2458c5","#8db4ff"],accept:["#c74e00","#ff9257"],queue:["#a06a00","#f2bd4b"],reading:["#66758c","#93a3b8"],computing:["#00795a","#35d6a6"],writing:["#0067a5","#62bcff"],awaiting:["#9a3f84","#e59acd"],held:["#c74e00","#ff9257"],closing:["#66758c","#93a3b8"],fin:["#66758c","#93a3b8"],rst:["#b8123a","#ff8095"],ended:["#66758c","#93a3b8"]},O=\`:host, :root {
\${Object.entries(Bt).map(([r,[e,t]])=>\`  --figure-\${r}: light-dark(\${e}, \${t});\`).join(\`
\`)}
}
\${S.map(({look:r})=>\`.of-\${r} { color: var(--figure-\${r}); }\`).join(\`
\`)}
\`;var j=globalThis.HTMLElement??class{};function f(r,e={}){let t=document.createElement(r);e.class!==void 0&&(t.className=e.class),e.text!==void 0&&(t.textContent=e.text);for(let[n,o]of Object.entries(e.attributes??{}))t.setAttribute(n,o);return t.append(...e.children??[]),t}function v(r,e){r.textContent!==e&&(r.textContent=e)}var Ye=new Map;function P(r,...e){r.adoptedStyleSheets=e.map(t=>{let n=Ye.get(t);if(n!==void 0)return n;let o=new CSSStyleSheet;return o.replaceSync(t),Ye.set(t,o),o})}function X(r,e){globalThis.customElements===void 0||customElements.get(r)!==void 0||customElements.define(r,e)}function J(r){return(r??"").split("|").map(e=>e.trim()).filter(e=>e!=="")}function xe(){return matchMedia("(prefers-reduced-motion: reduce)").matches}var je=6e7,Wt=[[],[5,3]],Te=72,C=class{root;#t;#e;#i;#n;constructor(e){this.#t=e,this.#e=f("p",{class:"value",text:"–"}),this.#i=f("span",{class:"top"}),this.#n=f("canvas",{attributes:{"aria-hidden":"true"}}),this.root=f("figure",{class:"chart",children:[f("figcaption",{children:[f("h3",{text:e.title}),this.#e]}),f("div",{class:"plot",children:[this.#n,this.#i]}),...e.note===void 0?[]:[f("p",{class:"note",text:e.note})]]})}show(e,t){let{series:n,format:o,least:i,unit:s=1}=this.#t,d=e.filter(({at:c})=>c>t-je&&c<=t),a=d.at(-1),u=n.flatMap(({name:c,of:m})=>{let g=a&&m(a);return g===void 0?[]:[c===""?o(g):\`\${c} \${o(g)}\`]});v(this.#e,u.length===0?"not known":u.join(" · "));let l=d.flatMap(c=>n.map(({of:m})=>m(c)??0)),h=Qt(Math.max(i,...l)/s)*s;v(this.#i,o(h)),this.#o(d,t,h)}#o(e,t,n){let{width:o}=this.#n.getBoundingClientRect(),i=Math.min(2,devicePixelRatio),[s,d]=[Math.round(o*i),Math.round(Te*i)];(this.#n.width!==s||this.#n.height!==d)&&(this.#n.width=s,this.#n.height=d);let a=this.#n.getContext("2d");if(a===null)return;let u=getComputedStyle(this.#n);a.setTransform(i,0,0,i,0,0),a.clearRect(0,0,o,Te);let l=c=>(1-(t-c)/je)*o,h=c=>1+(1-c/n)*(Te-2);a.strokeStyle=u.borderBottomColor,a.lineWidth=1;for(let c of[0,1])a.beginPath(),a.moveTo(0,h(c*n)),a.lineTo(o,h(c*n)),a.stroke();a.strokeStyle=u.color,a.lineWidth=1.75,a.lineJoin="round";for(let[c,{of:m}]of this.#t.series.entries()){a.setLineDash([...Wt[c]??[]]),a.beginPath();let g=!1;for(let p of e){let y=m(p);if(y===void 0){g=!1;continue}g?a.lineTo(l(p.at),h(y)):a.moveTo(l(p.at),h(y)),g=!0}a.stroke()}a.setLineDash([])}};function Qt(r){let e=10**Math.floor(Math.log10(r));return([1,2,5,10].find(t=>t*e>=r)??10)*e}var Xe="virtual time";var zt={recording:["version","began_us"],thread:["at","thread"],begun:["at","connection"],queued:["at","to","connection"],served:["at","thread","connection"],over:["at","connection"],span:["at","to"],client:["at","connected","to"]};function Z(r){let e=[],t=0;for(let n of r.split(\`
\`)){if(n.trim()==="")continue;let o=Gt(n);o===void 0?t++:e.push(o)}return{lines:e,damaged:t}}function Gt(r){let e;try{e=JSON.parse(r)}catch{return}if(typeof e!="object"||e===null)return;let t=e;if(!(typeof t.type!="string"||!(zt[t.type]??["at"]).every(o=>Number.isFinite(t[o])))&&!(t.type==="recording"&&t.version!==1))return e}function ee(r){let e=t=>t.type==="recording"?-1:t.at;return r.toSorted((t,n)=>e(t)-e(n))}var A=class{#t;async load(e,t,n){this.stop();let{signal:o}=this.#t=new AbortController;try{let i=await fetch(e,{signal:o});if(!i.ok)throw new Error(\`the answer is \${i.status}\`);let{lines:s}=Z(await i.text());if(s.length===0)throw new Error("it is not a recording");t(s)}catch(i){if(o.aborted)return;n(\`Cannot show \${e}: \${i instanceof Error?i.message:String(i)}\`)}}stop(){this.#t?.abort()}};var Yt=1e3,jt=3e4,Xt=300,Jt=5e3,Zt=1e3,te=class{#t;#e;#i;#n;#o=0;#s=0;constructor(e){this.#t=e,this.#a(),setInterval(()=>this.#u(),Zt),document.addEventListener("visibilitychange",()=>{document.hidden||this.#i===void 0||(this.#o=0,this.#a())})}#r(e,t,n){this.#n=e,this.#t.state({kind:e,text:t,...n!==void 0&&{page:n}})}#a(){clearTimeout(this.#i),this.#i=void 0;let e=this.#e=new EventSource("events");e.addEventListener("message",({data:t})=>this.#d(String(t))),e.addEventListener("error",()=>{e.close(),e===this.#e&&this.#l()})}#d(e){let{lines:t}=Z(e);this.#s=performance.now(),this.#o=0,t.some(({type:o})=>o==="recording")&&this.#t.begins(),this.#n!=="live"&&this.#r("live","live"),this.#t.lines(t);let n=t.find(o=>o.type==="end");n!==void 0&&this.#c(n)}#c({successor:e,page:t}){if(this.#e?.close(),this.#e=void 0,e===void 0)return this.#r("ended","The server has ended. This is its last picture.");let n=\`Process \${e} serves now\`;if(t===void 0)return this.#r("ended",\`\${n}, and has no page. This is the last picture.\`);if(!(URL.canParse(t)&&new URL(t).pathname===location.pathname))return this.#r("ended",\`\${n}. This is the last picture.\`,t);this.#r("lost",\`\${n}: connecting to it …\`),this.#i=setTimeout(()=>this.#a(),Xt)}async#l(){this.#e=void 0,this.#n!=="lost"&&this.#r("lost","The server does not answer …");let e=0;try{({status:e}=await fetch("events",{method:"HEAD"}))}catch{}if(e===404||e===421)return this.#r("ended","Another server is here now. It has printed the address of its own page. This is the last picture of the one before.");let t=Math.min(jt,Yt*2**this.#o++),n=G(Math.round(t/1e3)),o=e===0?"The server does not answer. This is its last picture":e===503?"Too many read along, and the server tells nobody else":"The link to the server has broken. This is its last picture";this.#r("lost",\`\${o}; trying again in \${n} s.\`),this.#i=setTimeout(()=>this.#a(),t)}#u(){this.#e===void 0||this.#n!=="live"||performance.now()-this.#s<Jt||this.#r("silent","The server says nothing. Perhaps its process is stopped.")}};var ke={computing:"the server computes for it",accept:"waits to be accepted",queue:"waits in the server's queue, or for its thread to start",thread:"waits for a thread that is busy with another client",talk:"talks"};function Me(r){let e=r.filter(i=>i.type==="client"),t=new Map,n=new Map,o=r.at(-1)?.at??0;for(let i of r)if(i.type==="socket"&&i.waiting===!0){let{at:s,remote:d,connected:a=s}=i;t.set(d,Math.min(t.get(d)??s,a))}else if(i.type==="begun"){let{connection:s,peer:d,at:a,connected:u=a}=i,l=e.findIndex(c=>c.peer===d&&a<=c.to),h=Math.min(t.get(d)??a,u);n.set(s,l<0?{peer:d,fromUs:h,toUs:o,isByServer:!0}:Je(e.splice(l,1)[0])),t.delete(d)}else if(i.type==="over"){let s=n.get(i.connection);s?.isByServer===!0&&n.set(i.connection,{...s,toUs:i.at})}return[...n.values(),...e.map(Je)].sort((i,s)=>i.fromUs-s.fromUs)}function Je({peer:r,at:e,to:t}){return{peer:r,fromUs:e,toUs:t}}var en=["computing","queue","accept","thread"],et=["queue","accept","thread"],N=1e3;function Ee(r,e){let t=e.map(n=>tn(r,n));return e.map((n,o)=>Se(n,o,t))}function Se(r,e,t){let n=t[e],o=c=>c!==n&&c.thread===n.thread,i=t.filter(o),s={accept:[[r.fromUs,n.begunUs]],queue:[[n.begunUs,n.servedUs]],thread:[...i.flatMap(({busy:c})=>c),...n.awaiting.map(({until:c})=>c)],computing:n.computing.map(({during:c})=>c),talk:[]},d=t.map(c=>{if(c===n)return[];let m=o(c)?c.holds:[],g=n.awaiting.flatMap(({until:p,thread:y})=>Ze(p,c.computing.filter(w=>y===void 0||w.thread===y).map(({during:w})=>w)));return[...m,...g]}),a=d.map(()=>0),u=nn(r,s).map(c=>{let{doing:m,fromUs:g,toUs:p}=c;if(!et.includes(m))return c;let y=d.map(b=>on(Ze([g,p],b)));for(let[b,T]of y.entries())a[b]=a[b]+T;let w=y.map((b,T)=>({place:T,us:b})).filter(({us:b})=>b>=N);return{...c,waitedFor:w.sort((b,T)=>T.us-b.us)}}),l=Math.max(...a),h=l>=N;return{stretches:u,waitedUs:h?l:0,waitedFor:h?a.indexOf(l):void 0}}function tt({stretches:r}){return r.reduce((e,{doing:t,fromUs:n,toUs:o})=>e+(et.includes(t)?o-n:0),0)}function Le(r,e){return r.map(([t,n])=>{let o=e.find(({during:[s,d]})=>s<n&&t<d),i=Math.max(t,o?.during[0]??n);return{until:[t,i],thread:o?.thread}})}function tn(r,e){let t=r.find(p=>p.type==="begun"&&p.peer===e.peer),n=t?.type==="begun"?t.connection:void 0,o=r.filter(p=>"connection"in p&&p.connection===n),i=o.find(p=>p.type==="served"),s=o.find(p=>p.type==="over"),d=i?.type==="served"?i.thread:void 0,a=o.filter(p=>p.type==="span"),u=p=>a.filter(y=>y.name===p).map(({at:y,to:w})=>[y,w]),l=r.some(p=>p.type==="thread"&&p.thread===d&&p.loop===!0),h=t?.at??e.toUs,c=i?.at??h,m=l?u("turn"):[],g=a.filter(({name:p})=>p==="computing").map(({at:p,to:y,thread:w})=>({during:[p,y],thread:w}));return{begunUs:h,servedUs:c,thread:d,computing:g,awaiting:Le(u("waiting for computing"),g),busy:m,holds:l?m:[[c,s?.at??e.toUs]]}}function nn({fromUs:r,toUs:e},t){let n=Object.values(t).flat(2).filter(s=>s>r&&s<e),o=[...new Set([r,...n,e])].sort((s,d)=>s-d),i=[];for(let s=1;s<o.length;s++){let[d,a]=[o[s-1],o[s]],u=(d+a)/2,l=en.find(c=>t[c].some(([m,g])=>m<=u&&u<g))??"talk",h=i.at(-1);h?.doing===l?i[i.length-1]={...h,toUs:a}:i.push({doing:l,waitedFor:[],fromUs:d,toUs:a})}return i}function Ze([r,e],t){return t.map(([n,o])=>[Math.max(n,r),Math.min(o,e)]).filter(([n,o])=>n<o)}function on(r){let[e,t]=[0,-1/0];for(let[n,o]of r.toSorted(([i],[s])=>i-s))e+=Math.max(0,o-Math.max(n,t)),t=Math.max(t,o);return e}var ne=\`
:host {
  display: block;
  color: var(--figure-text);
  font-size: 0.9375rem;
  line-height: 1.45;
}
:host([hidden]), [hidden] { display: none !important; }
*, *::before, *::after { box-sizing: border-box; }
h2, h3, h4, p, ul, figure { margin: 0; padding: 0; }
h2 { font-size: 1.0625em; font-weight: 650; letter-spacing: -0.005em; }
h3 { font-size: 0.875em; font-weight: 650; }
h4 { font-size: 0.8125em; font-weight: 600; }
.frame {
  border: 1px solid var(--figure-line);
  border-radius: 14px;
  background: var(--figure-ground);
  padding: 1rem;
}
.head {
  display: flex;
  flex-wrap: wrap;
  justify-content: space-between;
  align-items: baseline;
  gap: 0.1rem 1rem;
  margin-bottom: 0.75rem;
}
.sub, .who, .others, .what, .note { color: var(--figure-faint); font-size: 0.8125em; }
.controls {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 0.5rem;
  margin-top: 0.75rem;
}
button, select, input {
  font: inherit;
  color: inherit;
}
button, select, input[type="number"] {
  min-height: 2.25rem;
  border: 1px solid var(--figure-line);
  border-radius: 8px;
  background: var(--figure-box);
  padding: 0.2rem 0.7rem;
}
button { cursor: pointer; white-space: nowrap; }
button:hover:not(:disabled) { border-color: var(--figure-accent); }
button:disabled { color: var(--figure-faint); cursor: default; }
button.main {
  border-color: var(--figure-accent);
  background: var(--figure-accent);
  color: var(--figure-ground);
  font-weight: 600;
  min-width: 5.5rem;
}
button.small { min-width: 2.25rem; padding: 0.2rem; }
td button.small { min-height: 1.5rem; padding: 0 0.4rem; }
:focus-visible { outline: 2px solid var(--figure-accent); outline-offset: 2px; }
input[type="range"] { accent-color: var(--figure-accent); min-width: 0; height: 2.25rem; margin: 0; }
input[type="number"] { width: 7rem; }
label { display: inline-flex; align-items: center; gap: 0.4rem; }
.legend {
  display: flex;
  flex-wrap: wrap;
  gap: 0.15rem 1rem;
  margin-top: 0.75rem;
  list-style: none;
  font-size: 0.8125em;
  color: var(--figure-faint);
}
.legend li { display: inline-flex; align-items: center; gap: 0.4rem; }
.legend .words { color: var(--figure-faint); }
details { margin-top: 0.75rem; font-size: 0.875em; }
summary { cursor: pointer; color: var(--figure-faint); padding: 0.25rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--figure-faint); padding: 0.25rem 0; }
th, td {
  text-align: left;
  vertical-align: top;
  padding: 0.3rem 0.75rem 0.3rem 0;
  border-bottom: 1px solid var(--figure-line);
  overflow-wrap: anywhere;
}
th { font-weight: 600; }
.picture th, .picture td { overflow-wrap: break-word; }
.picture.connections td:nth-child(2) { overflow-wrap: anywhere; }
.unseen {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
\`,nt=\`
.sign {
  flex: none;
  display: inline-block;
  width: 12px;
  height: 12px;
  border: 3px solid currentColor;
  border-radius: 50%;
}
.sign.disc { background: currentColor; }
.sign.cross {
  border: 0;
  border-radius: 0;
  background:
    linear-gradient(45deg, transparent 42%, currentColor 42% 58%, transparent 58%),
    linear-gradient(-45deg, transparent 42%, currentColor 42% 58%, transparent 58%);
}
\`,it=\`
.stage { position: relative; container-type: inline-size; }
canvas { position: absolute; inset: 0; width: 100%; height: 100%; cursor: pointer; }
.partial canvas { opacity: 0.25; }
.flow { display: grid; gap: 0.6rem; grid-template-columns: minmax(0, 1fr); }
.flow.with-handover { grid-template-columns: repeat(2, minmax(0, 1fr)); }
.flow > .threads, .flow > .ends { grid-column: 1 / -1; }
.box {
  display: flex;
  flex-direction: column;
  min-width: 0;
  border-radius: 10px;
  background: var(--figure-box);
  padding: 0.6rem 0.7rem;
}
.well { flex: 1; min-height: 3.25rem; margin-top: 0.4rem; }
.count { font-variant-numeric: tabular-nums; font-weight: 600; font-size: 0.9375em; }
.accept .count, .handover .count { font-size: 1.25em; line-height: 1.3; }
.whom { min-height: 1.45em; }
.accept > p, .handover > p { overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }
.accept > p.parts { white-space: pre; }
.dense .whom, .end .whom { display: none; }
.gauge {
  height: 4px;
  margin-top: 0.3rem;
  border-radius: 2px;
  background: var(--figure-line);
  overflow: hidden;
}
.gauge .fill { height: 100%; width: 0; background: var(--figure-accept); }
.cards {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 10.5rem), 1fr));
  gap: 0.5rem;
  margin-top: 0.4rem;
  align-content: start;
}
.cards.one { grid-template-columns: minmax(0, 1fr); }
.card {
  display: flex;
  flex-direction: column;
  min-width: 0;
  border: 1px solid var(--figure-line);
  border-left: 4px solid var(--figure-line);
  border-radius: 8px;
  background: var(--figure-well);
  padding: 0.4rem 0.55rem;
}
.card .what { min-height: 2.9em; max-height: 2.9em; overflow: hidden; overflow-wrap: anywhere; }
.cards.one .card .what { min-height: 1.45em; }
.card .well { min-height: 2.25rem; margin-top: 0.2rem; }
.card.loop { grid-row: span 3; }
.card.loop .well { min-height: 12rem; }
.cards.one .card.loop .well { min-height: 17rem; }
.card[data-state="computing"] { border-left-color: var(--figure-computing); }
.card[data-state="computing"] .what { color: var(--figure-computing); font-weight: 600; }
.card[data-state="writing"] { border-left-color: var(--figure-writing); }
.card[data-state="reading"] { border-left-color: var(--figure-reading); }
.dense { grid-column: 1 / -1; padding: 0; background: none; }
.dense .well { min-height: 12rem; }
.others { margin-top: 0.5rem; }
.ends { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); gap: 0.6rem; }
.ends .box { padding: 0.5rem 0.6rem; }
.ends .well { min-height: 2.25rem; }
.end .who { min-height: 0; }
.end.rst .count { color: var(--figure-rst); }
@container (min-width: 720px) {
  .flow { grid-template-columns: 8.5rem minmax(0, 1fr) 7.5rem; }
  .flow.with-handover { grid-template-columns: 8.5rem 8.5rem minmax(0, 1fr) 7.5rem; }
  .flow > .threads, .flow > .ends { grid-column: auto; }
  .flow > .accept .well, .flow > .handover .well { min-height: 13rem; }
  .ends { grid-auto-flow: row; grid-auto-rows: 1fr; }
}
\`,ot=\`
.time { display: flex; flex: 1 1 12rem; align-items: center; gap: 0.6rem; min-width: 0; }
.time input { flex: 1; }
.time output {
  min-width: 9.5em;
  text-align: right;
  font-variant-numeric: tabular-nums;
  font-size: 0.875em;
  color: var(--figure-faint);
}
.speed { display: inline-flex; align-items: center; gap: 0.3rem; font-variant-numeric: tabular-nums; }
.speed output { min-width: 3.6em; text-align: center; }
.now { min-height: 1.5em; margin-top: 0.6rem; font-size: 0.9375em; overflow-wrap: anywhere; }
.followed {
  margin-top: 0.75rem;
  border-left: 4px solid var(--figure-accent);
  padding: 0.2rem 0 0.2rem 0.75rem;
  font-size: 0.875em;
}
.followed ol {
  position: relative;
  margin: 0.3rem 0 0;
  padding: 0;
  list-style: none;
  max-height: 20rem;
  overflow: auto;
  background:
    linear-gradient(var(--figure-ground), var(--figure-ground)) top / 100% 8px local no-repeat,
    linear-gradient(var(--figure-ground), var(--figure-ground)) bottom / 100% 8px local no-repeat,
    linear-gradient(var(--figure-line), transparent) top / 100% 8px no-repeat,
    linear-gradient(transparent, var(--figure-line)) bottom / 100% 8px no-repeat;
}
.followed li { display: flex; gap: 0.75rem; padding: 0.1rem 0; color: var(--figure-faint); }
.followed li.past { color: inherit; }
.followed time { flex: none; min-width: 6.5em; text-align: right; font-variant-numeric: tabular-nums; }
@media (max-width: 480px) {
  .frame { padding: 0.75rem; border-radius: 12px; }
  .time { flex-basis: 100%; }
  .time output { min-width: 0; }
  .picture { font-size: 0.9em; }
  .picture th, .picture td { padding-right: 0.4rem; }
  .picture button.small { white-space: normal; text-align: left; }
}
\`;var ie=class extends j{static observedAttributes=["src","data-title","names"];#t=[];#e=[];#i;#n;#o=new A;get lines(){return this.#t}set lines(e){this.#t=e,this.draw()}get names(){return this.#e}set names(e){this.#e=e,this.draw()}connectedCallback(){this.#n===void 0&&this.#s(),this.draw()}disconnectedCallback(){this.#o.stop()}attributeChangedCallback(e,t,n){e==="src"&&n!==null&&this.#o.load(n,o=>this.lines=o,o=>this.#n?.replaceChildren(f("p",{class:"note",text:o}))),e==="names"&&(this.names=J(n)),e==="data-title"&&this.draw()}draw(){if(this.#n===void 0||this.#i===void 0)return;let e=this.getAttribute("data-title")??"";v(this.#i,e),this.#i.parentElement.hidden=e==="",this.drawIn(this.#n)}#s(){let{style:e,label:t,bodyClass:n,legend:o}=this.frame,i=this.attachShadow({mode:"open"});P(i,O,ne,e),this.#i=f("h2"),this.#n=f("div",n===void 0?{}:{class:n});let s=f("div",{class:"head",children:[this.#i]});i.append(f("div",{class:"frame",attributes:{role:"group","aria-label":t},children:[s,this.#n,...o===void 0?[]:[o()]]}))}};var rn=24,sn=5,rt={accept:"accept",queue:"queue",thread:"held",computing:"computing",talk:"reading"},an="When these clients came, only the server's kernel has told. They may have waited to be accepted for longer than is drawn: by 20 ms at most where it was asked as they were taken, and else for as long as nobody has looked.",dn=\`
.rows { list-style: none; display: grid; gap: 0.7rem; }
.client { display: grid; grid-template-columns: minmax(5.5rem, 9rem) minmax(0, 1fr) 5rem; gap: 0 0.75rem; align-items: center; }
.name { font-weight: 600; overflow-wrap: anywhere; }
.length { text-align: right; font-variant-numeric: tabular-nums; }
.waited { grid-column: 2 / -1; color: var(--figure-faint); font-size: 0.8125em; min-height: 1.45em; }
.bar { position: relative; height: 1.25rem; border-radius: 4px; background: var(--figure-box); overflow: hidden; }
.part { position: absolute; inset-block: 0; min-width: 1px; background: currentColor; }
.part.wait { background: repeating-linear-gradient(-45deg, currentColor 0 4px, transparent 4px 7px); }
.part.talk { inset-block: 40%; }
.told { position: absolute; inset-block: 0; width: 3px; margin-left: -1px; background: var(--figure-text); }
.scale {
  position: relative;
  height: 1.4em;
  margin: 0.3rem 5.75rem 0 0;
  color: var(--figure-faint);
  font-size: 0.75em;
  font-variant-numeric: tabular-nums;
}
.scale span { position: absolute; white-space: nowrap; transform: translateX(-50%); }
.scale span:first-child { transform: none; }
.rows-and-scale { container-type: inline-size; }
.scale { margin-left: calc(min(9rem, max(5.5rem, 9rem)) + 0.75rem); }
.legend .swatch { position: relative; width: 1.5rem; height: 0.8em; border-radius: 2px; overflow: hidden; }
@container (max-width: 480px) {
  .client { grid-template-columns: minmax(0, 1fr) auto; }
  .name { grid-row: 1; }
  .length { grid-row: 1; grid-column: 2; }
  .bar, .waited { grid-column: 1 / -1; }
  .scale { margin-inline: 0; }
}
\`,oe=class extends ie{frame={style:dn,label:"Who waited for whom",bodyClass:"rows-and-scale",legend:mn};#t;get visits(){return this.#t}set visits(e){this.#t=e,this.draw()}drawIn(e){let t=ee(this.lines).filter(p=>p.type!=="recording"),[n]=this.lines,o=n?.type==="recording"&&n.runtime===Xe,i=(this.#t??Me(t)).map(p=>o?{...p,isByServer:!1}:p);if(i.length===0){this.lines.length>0&&e.replaceChildren(f("p",{class:"note",text:"No client has come."}));return}let s=i.slice(0,rn),d=Ee(t,s),a=Math.min(...s.map(({fromUs:p})=>p)),u=Math.max(a+1,...s.map(({toUs:p})=>p)),l=p=>this.names[p]??\`client \${p+1}\`,h=t.find(({type:p})=>p==="closing")?.at??1/0,c=h<u?h:void 0,m=s.map((p,y)=>ln(p,d[y],{name:l,index:y,fromUs:a,lengthUs:u-a,toldUs:c})),g=[f("ul",{class:"rows",children:m}),hn(u-a)];if(c!==void 0){let p=\`The upright line is when the server was told to close, after \${x(c-a)}.\`;g.push(f("p",{class:"note",text:p}))}if(s.some(({isByServer:p})=>p===!0)&&g.push(f("p",{class:"note",text:an})),i.length>s.length){let p=\`\${i.length-s.length} more clients are not drawn.\`;g.push(f("p",{class:"note",text:p}))}e.replaceChildren(...g)}};function ln(r,e,t){let{fromUs:n,toUs:o}=r,i=f("span",{class:"told"});i.hidden=t.toldUs===void 0,i.style.left=\`\${((t.toldUs??0)-t.fromUs)/t.lengthUs*100}%\`;let s=f("div",{class:"bar",attributes:{"aria-hidden":"true"},children:[...e.stretches.map(d=>{let a=f("span",{class:st(d.doing)});return a.style.left=\`\${(d.fromUs-t.fromUs)/t.lengthUs*100}%\`,a.style.width=\`\${(d.toUs-d.fromUs)/t.lengthUs*100}%\`,a.title=\`\${ke[d.doing]}: \${x(d.toUs-d.fromUs)}\`,a}),i]});return f("li",{class:"client",children:[f("span",{class:"name",text:t.name(t.index)}),s,f("span",{class:"length",text:x(o-n)}),f("span",{class:"waited",text:un(r,e,t.name)})]})}function un(r,e,t){let n=e.stretches.reduce((i,{doing:s,fromUs:d,toUs:a})=>i+(s==="computing"?a-d:0),0),o=n>=1?\`the server computed \${x(n)} for it\`:"";return[cn(r,e,t),o].filter(i=>i!=="").join("; ")}function cn({isByServer:r=!1},e,t){let{waitedFor:n,waitedUs:o}=e;if(n!==void 0)return\`waited \${x(o)} for \${t(n)}\`;let i=tt(e);return i>=N?\`waited \${x(i)}, for no other client\`:r?"was not seen to wait":"waited for nobody"}function st(r){return\`part \${r==="computing"?"busy":r==="talk"?"talk":"wait"} of-\${rt[r]}\`}function hn(r){let e=r/sn,t=10**Math.floor(Math.log10(e)),n=[1,2,5,10].map(i=>i*t).find(i=>i>=e)??e,o=[];for(let i=0;i<=r;i+=n){let s=f("span",{text:i===0?"0":fn(i)});s.style.left=\`\${i/r*100}%\`,o.push(s)}return f("div",{class:"scale",attributes:{"aria-hidden":"true"},children:o})}function fn(r){return x(r).replace(/\\.0+(?= )/,"").replace(/(\\.\\d*?)0+(?= )/,"$1")}function mn(){return f("ul",{class:"legend",attributes:{"aria-label":"What the bars mean"},children:Object.keys(rt).map(r=>f("li",{children:[f("span",{class:"swatch",attributes:{"aria-hidden":"true"},children:[pn(r)]}),f("span",{class:"words",text:ke[r]})]}))})}function pn(r){let e=f("span",{class:st(r)});return e.style.left="0",e.style.width="100%",e}X("client-timeline",oe);function at(){let r=(c,m,g="")=>f("button",{class:g,text:c,attributes:{type:"button",...m!==void 0&&{"aria-label":m,title:m}}}),e=r("Play",void 0,"main"),t=r("Go live"),n=r("−","Slower (-)","small"),o=r("+","Faster (+)","small"),i=f("output",{attributes:{"aria-label":"Speed"}}),s=r("◂ Step","Step back to what happened before (,)"),d=r("Step ▸","Step on to what happens next (.)"),a=f("input",{attributes:{type:"range",min:"0",max:"1000",step:"1","aria-label":"Moment"}}),u=f("output"),l=f("input",{attributes:{type:"number",min:"1",step:"1",inputmode:"numeric",placeholder:"nobody"}});return{root:f("div",{class:"controls",attributes:{role:"group","aria-label":"Playing"},children:[e,t,s,d,f("span",{class:"speed",children:[n,i,o]}),f("span",{class:"time",children:[a,u]}),f("label",{children:[f("span",{text:"Follow #"}),l]})]}),play:e,live:t,slower:n,faster:o,speed:i,back:s,step:d,time:a,moment:u,follow:l}}function dt(){return f("ul",{class:"legend",attributes:{"aria-label":"What the dots mean"},children:S.filter(({look:r})=>r!=="ended").map(({look:r,shape:e,words:t})=>f("li",{children:[f("span",{class:\`sign \${e} of-\${r}\`,attributes:{"aria-hidden":"true"}}),f("span",{class:"words",text:t})]}))})}function H(r,e,t){let[n,o]=[0,r.length];for(;n<o;){let i=n+o>>1;e(r[i])<=t?n=i+1:o=i}return n}function Ue(r,e,t){let n=e(t),o=r.at(-1);if(o===void 0||e(o)<=n)return r.push(t)-1;let i=H(r,e,n);return r.splice(i,0,t),i}var D=({at:r})=>r,lt=r=>r,L=class{#t;#e=[];#i=[];#n=0;constructor(e=()=>1){this.#t=e}get all(){return this.#e}add(e){let t=Ue(this.#e,D,e),n=t-1,o=n<0?this.#n:this.#i[n]+this.#t(this.#e[n]);this.#i.splice(t,0,o);for(let i=t;i<this.#e.length;i++)this.#i[i]=o,o+=this.#t(this.#e[i])}find(e){let t=this.#e[H(this.#e,D,e)-1];return t!==void 0&&e<t.to?t:void 0}last(e){return this.#e[H(this.#e,D,e)-1]}weightAt(e){let t=H(this.#e,D,e)-1;if(t<0)return this.#n;let n=this.#e[t];return this.#i[t]+(n.to<=e?this.#t(n):0)}forget(e){let t=this.#e.findIndex(({to:i})=>i>=e),n=t<0?this.#e.length:t;if(n===0)return;let o=this.#e[n-1];this.#n=this.#i[n-1]+this.#t(o),this.#e=this.#e.slice(n),this.#i=this.#i.slice(n)}},M=class{#t=[];add(e,t){Ue(this.#t,D,{at:e,value:t})}get all(){return this.#t}countAt(e){return H(this.#t,D,e)}at(e){return this.last(e)?.value}last(e){return this.#t[this.countAt(e)-1]}forget(e){let t=this.countAt(e)-1;t>0&&(this.#t=this.#t.slice(t))}},_=class{#t=[];#e=0;add(e){Ue(this.#t,lt,e)}countAt(e){return this.#e+H(this.#t,lt,e)}forget(e){let t=this.#t.findIndex(o=>o>=e),n=t<0?this.#t.length:t;this.#e+=n,this.#t=this.#t.slice(n)}};function Oe({life:{fromUs:r,toUs:e}},t){return r<=t&&t<e}function Ce({count:r,has:e,mayHaveLeft:t},n){if(r===0)return 0;let[o,i]=[r,0];for(let s of n)e(s)?o--:t(s)&&i++;return Math.max(0,o-i)}function ut({seenUs:r,leftUs:e,goneUs:t},n){return r<=n&&n<Math.min(e,t)}var re=class{#t=new Map;#e=new Map;#i=new Map;#n=new M;#o=!1;add(e){if(e.thread!==void 0&&e.cookie!==void 0&&(this.#s(e.cookie,e.thread,e.at),e.waiting===void 0))return;let t=e.cookie??e.local,n=this.#t.get(t)??new M;this.#t.set(t,n),n.add(e.at,e),this.#l(e.at)}seesSockets(e){this.#o=!0,this.#l(e)}comes(e,t){let n=this.#i.get(e);if(n!==void 0&&t<=n.fromUs){n.fromUs=t;return}n!==void 0&&(n.toUs=Math.min(n.toUs,t)),this.#i.set(e,{fromUs:t,toUs:1/0})}leaves(e,t){let n=this.#i.get(e);n===void 0?this.#i.set(e,{fromUs:t,toUs:t}):n.fromUs<=t&&(n.toUs=Math.min(n.toUs,t))}#s(e,t,n){if(this.#e.has(e))return;let o=this.#i.get(t)??{fromUs:n,toUs:1/0};this.#i.set(t,o),this.#e.set(e,{thread:t,life:o})}sayWhose(e,t){if(t.length===0||this.#e.size===0)return;let n=new Set(this.#r(e).map(([,{thread:a}])=>a)),o=this.#n.last(e)?.at??-1/0,i=this.#a(e),s=t.filter(({seenUs:a})=>a<=o),d=i!==void 0&&s.length<=i.waiting;for(let a of t)a.server!==void 0&&n.has(a.server)?a.queueOf=a.server:d&&a.seenUs<=o&&(a.queueOf=i.thread)}#r(e){return[...this.#e].filter(([,t])=>Oe(t,e))}#a(e){let t=this.#r(e),n=t.every(([a])=>this.#t.get(a)?.at(e)!==void 0),o=[...this.#t].filter(([a,u])=>{let l=this.#e.get(a);return(l===void 0||Oe(l,e))&&(u.at(e)?.waiting??0)>0}),[i,s]=o[0]??[],d=t.find(([a])=>a===i)?.[1];if(!(!n||o.length!==1||d===void 0))return{thread:d.thread,waiting:s?.at(e)?.waiting??0}}#d(e,t,n,o,i){let s=this.#r(e);if(s.length<2)return[];let d=Map.groupBy(n,({queueOf:u})=>u),a=s.flatMap(([u,{thread:l}])=>{let h=this.#t.get(u)?.at(e)?.waiting;if(h===void 0)return[];let c=new Set(d.get(l)),m=Ce({count:h,has:g=>(c.has(g)||g.server===l)&&ut(g,o),mayHaveLeft:({server:g,takenUs:p})=>g===l&&i<p&&p<=e},t);return[{thread:l,waiting:c.size+m}]});return a.length<s.length?[]:a.sort((u,l)=>u.thread-l.thread)}#c(e){let t=[...this.#t].flatMap(([d,a])=>{let u=this.#e.get(d);return u===void 0?[]:[{course:a,owner:u}]});if(t.length===0)return[...this.#t.values()];let n=t.filter(({owner:d})=>Oe(d,e));if(n.length>0)return n.map(({course:d})=>d);let o=t.filter(({owner:d})=>d.life.toUs<=e),i=Math.max(...o.map(({owner:d})=>d.life.toUs)),s=Math.min(...t.map(({owner:d})=>d.life.fromUs));return t.filter(({owner:{life:d}})=>o.length>0?d.toUs===i:d.fromUs===s).map(({course:d})=>d)}#l(e){this.#n.last(e)?.at!==e&&this.#n.add(e,void 0)}at(e,t,n){let o=n.length,i=this.#c(e),s=i.flatMap(g=>g.at(e)?.waiting??[]),d=i.flatMap(g=>(g.at(e)??g.all[0]?.value)?.limit??[]),a=d.length===0?void 0:ct(d),u=this.#n.countAt(e),l=this.#n.all[u-1]?.at;if(s.length===0||l===void 0)return{waiting:o===0?void 0:o,limit:a,countedUs:void 0};let h=this.#o?this.#n.all[u-2]?.at??-1/0:l,c=Ce({count:ct(s),has:g=>ut(g,l),mayHaveLeft:({takenUs:g})=>h<g&&g<=e},t),m=this.#d(e,t,n,l,h);return{waiting:o+c,limit:a,countedUs:l,...m.length>0&&{ofThreads:m}}}forget(e){this.#n.forget(e);for(let t of this.#t.values())t.forget(e);for(let[t,{life:n}]of this.#e)n.toUs>=e||(this.#e.delete(t),this.#t.delete(t));for(let[t,{toUs:n}]of this.#i)n<e&&this.#i.delete(t)}};function ht(r,{counters:e,counts:t,tracks:n,seen:o}){let i=e.at(r)?.queued,s=t.countAt(r),d=t.all[s-1]?.at,a=t.all[s-2]?.at??-1/0;if(i===void 0||d===void 0)return{waiting:o,limit:void 0,countedUs:void 0};let u=Ce({count:i,has:({waiting:l})=>l!==void 0&&l.at<=d&&d<l.to,mayHaveLeft:({servedUs:l})=>a<l&&l<=r},n);return{waiting:o+u,limit:void 0,countedUs:d}}function V({waiting:r,limit:e}){return r===void 0?"not known":e===void 0?String(r):\`\${r} of \${e}\`}function ct(r){return r.reduce((e,t)=>e+t,0)}var ft=100;function $e({place:r,thread:e,queueOf:t},{threads:n}){if(t!==void 0){let o=n.find(({number:i})=>i===t);return o===void 0?r:\`\${r} of \${o.name}\`}return r!=="thread"?r:n.find(({number:o})=>o===e)?.name??"a thread"}function Ie({connection:r,place:e},t){return r!==void 0?t(r):e==="accept queue"?"not accepted yet":e==="ended"?"no number":"accepted, no number yet"}function Re(r,e){let t=S.find(({look:s})=>s===R(r))?.words??r.doing,{task:n,waitsFor:o}=r,i=r.doing==="computing"&&n!==void 0?\` \${n}\`:"";return\`\${t}\${i}\${o===void 0?"":\`, for \${e(o)}\`}\`}function yt({acceptQueue:r,threads:e,dots:t}){return(r.ofThreads??[]).map(({thread:n,waiting:o})=>({thread:n,name:e.find(({number:i})=>i===n)?.name??"a thread",waiting:o,waitsFor:t.find(i=>i.place==="accept queue"&&i.queueOf===n)?.waitsFor}))}function gn({name:r,waiting:e,waitsFor:t},n){return\`\${r}: \${e}\${t===void 0?"":\`, for \${n(t)}\`}\`}var mt=4;function Pe(r,e){let t=yt(r).toSorted((s,d)=>d.waiting-s.waiting),n=t.slice(0,mt).sort((s,d)=>s.thread-d.thread),o=t.slice(mt),i=o.reduce((s,d)=>s+d.waiting,0);return[...n.map(s=>gn(s,e)),...o.length>0?[\`\${o.length} more: \${i}\`]:[]]}function yn({name:r,waiting:e,waitsFor:t},n){return e===0?"nobody waits":\`wait for \${r}\${t===void 0?"":\`, which serves \${n(t)}\`}\`}var se=class{root;#t;#e=new ae;#i;#n=f("p");constructor(e,{onOpen:t,onFollow:n}){this.#t=e,this.#i=new ae(s=>{let d=this.#o.find(a=>a.id===s);d!==void 0&&n(d)});let o=["Where","Connections","What happens there"],i=["Connection","From","Where","What it does","Since"];this.root=f("details",{children:[f("summary",{text:"The same as a table"}),f("div",{class:"scroll",attributes:{tabindex:"0",role:"group","aria-label":"The picture as a table"},children:[gt("places","Where connections are",o,this.#e.body),gt("connections","Connections",i,this.#i.body),this.#n]})]}),this.root.addEventListener("toggle",t)}show(e){if(!this.root.open)return;let t=this.#s(e).slice(0,ft);this.#e.fill(new Map(t.map(s=>[s[0],s])));let{dots:n,us:o}=e;this.#o=n.slice(0,ft),this.#i.fill(new Map(this.#o.map(s=>[s.id,[Ie(s,this.#t),s.peer,$e(s,e),Re(s,this.#t),x(Math.max(0,o-s.sinceUs))]])));let i=n.length-this.#o.length;v(this.#n,i>0?\`and \${i} more\`:"")}#o=[];#s(e){let{threads:t,acceptQueue:n,hasHandOver:o,handOverQueue:i,totals:s}=e;return[["Accept queue",V(n),pt("accept queue",n,e)],...yt(e).map(d=>[\`Accept queue of \${d.name}\`,String(d.waiting),yn(d,this.#t)]),...o?[["Hand-over queue",V(i),pt("hand-over queue",i,e)]]:[],...t.filter(({kind:d})=>d!=="other").map(d=>[d.name,String(d.dots.length),this.#r(d,e)]),...Object.entries(s.endings).map(([d,a])=>[\`Ended: \${d}\`,String(a),"since the picture began"])]}#r({activity:e,isLoop:t,standsStill:n,turns:o},{us:i}){if(e===void 0)return t?\`waits, after \${o} turns\`:"waits";let{what:s,task:d,connection:a,sinceUs:u}=e,l=a===void 0?"":\` for \${this.#t(a)}\`,h=x(Math.max(0,i-u));return\`\${n?"stands still: ":""}\${s}\${d===void 0?"":\` \${d}\`}\${l}, \${h}\`}};function pt(r,{countedUs:e},{dots:t,us:n}){let o=t.filter(s=>s.place===r).length,i=e===void 0?"not counted":\`as of \${x(n-e)} ago\`;return\`\${o} seen there, \${i}\`}function gt(r,e,t,n){let o=t.map(i=>f("th",{text:i,attributes:{scope:"col"}}));return f("table",{class:\`picture \${r}\`,children:[f("caption",{text:e}),f("thead",{children:[f("tr",{children:o})]}),n]})}var ae=class{body=f("tbody");#t=new Map;#e;constructor(e){this.#e=e}fill(e){for(let[n,o]of this.#t)e.has(n)||(o.remove(),this.#t.delete(n));let t=this.body.firstElementChild;for(let[n,o]of e){let i=this.#t.get(n)??this.#i(n,o.length);i===t?t=t.nextElementSibling:this.body.insertBefore(i,t),o.forEach((s,d)=>{let a=i.cells[d];v(a.querySelector("button")??a,s)})}}#i(e,t){let n=f("tr",{children:Array.from({length:t},()=>f("td"))}),o=this.#e;if(o!==void 0){let s=f("button",{class:"small",attributes:{type:"button",title:"Follow it"}});s.addEventListener("click",()=>o(e)),n.cells[0]?.append(s)}return this.#t.set(e,n),n}};var bn=200,de=class{root;#t;#e=f("p");#i=f("ol",{attributes:{tabindex:"0","aria-label":"What has happened to it"}});#n;#o;#s="";#r="";constructor(e){this.#t=e,this.root=f("div",{class:"followed",children:[this.#e,this.#i]}),this.root.hidden=!0}get connection(){return this.#n}get isSomebody(){return this.#n!==void 0||this.#o!==void 0}follow({connection:e,id:t}={}){this.#n=e,this.#o=t,this.#s="",this.#r="",this.#i.replaceChildren()}is({connection:e,id:t}){return this.#n===void 0?t===this.#o:e===this.#n}renew(){this.#o=void 0,this.#s=""}show(e,t,n){if(this.root.hidden=!this.isSomebody,!this.isSomebody)return;let o=t.find(this.#n,this.#o);if(o===void 0){let a=this.#n===void 0?"It":this.#t.nameOf(this.#n),u=this.#s===""?"is not known: it has not come yet, or is no longer remembered":"is no longer remembered: it was over long ago";return v(this.#e,\`\${a}\${this.#r} \${u}\`)}this.#n=o.connection,this.#o=o.id;let i=t.lifeOf(o).slice(-bn);this.#r=\`, from \${o.peer},\`;let s=e.dots.find(({id:a})=>a===o.id),d=o.connection===void 0?\`A connection (\${s===void 0?"no number":Ie(s,this.#t.nameOf)})\`:this.#t.nameOf(o.connection);v(this.#e,\`\${d}\${this.#r} \${this.#a(s,e,i)}\`),this.#d(o,e,n,i)}#a(e,t,n){if(e!==void 0){let i=\`\${e.place==="thread"?"is served by":"is here:"} \${$e(e,t)}\`,s=x(Math.max(0,t.us-e.sinceUs));return\`\${i}: \${Re(e,this.#t.nameOf)} · \${s}\`}return n.some(({us:i})=>i<=t.us)?"is in the picture no more":"is not there yet"}#d({id:e},t,n,o){let i=o.filter(({us:d})=>d<=t.us+.5).length,s=\`\${e} \${o.length} \${i} \${o.at(-1)?.us}\`;s!==this.#s&&(this.#s=s,this.#i.replaceChildren(...o.map((d,a)=>f("li",{class:a<i?"past":"",children:[f("time",{text:x(Math.max(0,d.us-n))}),f("span",{text:this.#t.named(d)})]}))),this.#c(this.#i.children[i-1]))}#c(e){let t=this.#i;if(t.matches(":hover, :focus"))return;let n=(e?.offsetTop??0)+(e?.offsetHeight??0);t.scrollTop=Math.max(0,n-t.clientHeight)}};var q=[.001,.002,.005,.01,.02,.05,.1,.2,.5,1,2,5,10],le=class{us=0;speed=1;isPlaying=!1;isLive=!1;#t={fromUs:0,toUs:0};#e;get range(){return this.#t}set range(e){this.#t=e,this.isLive||(this.us=this.#i(this.us))}get isAtEnd(){return this.us>=this.#t.toUs}play(){this.isAtEnd&&!this.isLive&&(this.us=this.#t.fromUs),this.isPlaying=!0}pause(){this.isPlaying=!1,this.isLive=!1}seek(e){this.isLive=!1,this.us=this.#i(e)}goLive(){this.isLive=!0,this.isPlaying=!0,this.speed=1}changeSpeed(e){let t=e>0?q.find(n=>n>this.speed):q.findLast(n=>n<this.speed);t!==void 0&&this.setSpeed(t)}setSpeed(e){this.speed=e,e!==1&&(this.isLive=!1)}advance(e,t){let n=this.#e===void 0?0:e-this.#e;if(this.#e=e,this.isLive&&t!==void 0){this.us=t;return}if(!this.isPlaying){this.us=this.#i(this.us);return}this.us=this.#i(this.us+n*1e3*this.speed),this.isAtEnd&&t===void 0&&(this.isPlaying=!1)}#i(e){return Math.max(this.#t.fromUs,Math.min(this.#t.toUs,e))}},wn=3e5,vn=1e-4,B=class{#t=-1/0;#e=0;hear(e,t){let n=this.#t-(t-this.#e)*1e3*vn;this.#t=Math.max(n,e-t*1e3),this.#e=t}at(e){return this.#t===-1/0?void 0:e*1e3+this.#t-wn}};function Ae(r,e){let t=[],{connection:n,peer:o,accepting:i,takenUs:s}=r,d=n===void 0?r.inQueue:r.queued,a=n===void 0?o:\`#\${n}\`,u=(c,m)=>t.push({us:c,text:m,connection:n});i!==void 0&&u(i.at,\`\${a} is in the accept queue\`);let l=Math.min(r.begunUs,n===void 0?s:1/0);l<1/0&&u(l,\`\${a} is accepted\`),d!==void 0&&u(d.at,\`\${a} waits in the hand-over queue\`),r.servedUs<1/0&&u(r.servedUs,\`\${e(r.server)} begins to serve \${a}\`);for(let{at:c,to:m,task:g,thread:p}of r.computing?.all??[]){let y=g===void 0?"":\` \${g}\`;u(c,\`\${e(p)} begins to compute\${y} for \${a}\`),u(m,\`\${e(p)} has computed\${y} for \${a}\`)}for(let{at:c,to:m}of r.awaiting?.all??[])u(c,\`\${a} waits while another thread computes\`),u(m,\`\${a} has the result\`);for(let{at:c,to:m}of r.writing?.all??[])u(c,\`\${a} waits for its peer to take what was sent\`),u(m,\`the peer of \${a} has taken it\`);if(r.over!==void 0){let{outcome:c,failure:m}=r.over,g=m===void 0?"":\`, \${m}\`,p=c==="unknown"?": how was left out":\`: \${c}\${g}\`;u(r.overUs,\`the conversation of \${a} is over\${p}\`)}let h=r.endUs(!0);return h<1/0&&r.endedWith!==void 0&&u(h,\`\${a} has ended with \${r.endedWith}\`),t}var ue=class{number;name;isLoop=!1;presence=new M;computing=new L;writing=new L;turns=new L(({count:e})=>e??1);open;constructor(e,t){this.number=e,this.name=t}get kind(){return this.isLoop?"serves":this.name.startsWith("acceptor")?"accepts":this.name.startsWith("computing")?"computes":/^(worker|process|loop|child)/.test(this.name)?"serves":"other"}activityAt(e){let[t,n]=[this.computing.find(e),this.writing.find(e)];if(t!==void 0)return W("computing",t);if(n!==void 0)return W("writing",n);let{open:o}=this;if(o!==void 0&&o.at<=e&&e<o.to){if(o.what==="computing"||o.what==="writing")return W(o.what,o);if(o.what==="turn")return W("turn",o)}let i=this.turns.find(e);return i&&W("turn",i)}forget(e){this.presence.forget(e),this.computing.forget(e),this.writing.forget(e),this.turns.forget(e)}};function W(r,{at:e,connection:t,task:n}){return{what:r,connection:t,task:n,sinceUs:e}}var xn=1e3;function bt(r,e,t){let n=r.activityAt(e),o=r.isLoop&&n!==void 0&&(n.what==="computing"||e-n.sinceUs>=xn);if(o)for(let i of t)i.doing==="reading"&&(i.sinceUs=Math.max(i.sinceUs,n.sinceUs),i.connection===n.connection?(i.doing="computing",i.task=n.task):(i.doing="waiting for the loop",i.waitsFor=n.connection));return{number:r.number,name:r.name,isLoop:r.isLoop,kind:r.kind,activity:n,standsStill:o,turns:r.turns.weightAt(e),lastTurn:r.turns.last(e)?.connection,dots:t}}var Tn=2e6,ce=class{id;peer;connection;isOwn=!1;place="taken";thread;doing="waiting";task;sinceUs=0;waitsFor;queueOf;ending;outcome;failure;seenUs=1/0;leftUs=1/0;begunUs=1/0;queued;inQueue;servedUs=1/0;server;overUs=1/0;goneUs=1/0;endedWith;isLeftOut=!1;over;computing;awaiting;writing;open;constructor(e,t){this.id=e,this.peer=t}add(e,t){(this[e]??=new L).add(t)}forget(e){this.computing?.forget(e),this.awaiting?.forget(e),this.writing?.forget(e)}get fromUs(){return Math.min(this.seenUs,this.takenUs)}get doneUs(){return this.begunUs<1/0?this.overUs:Math.min(this.goneUs,this.inQueue?.to??this.leftUs)}get takenUs(){return Math.min(this.begunUs,this.inQueue?.at??1/0)}get waiting(){let{begunUs:e,queued:t,servedUs:n}=this;return t!==void 0?t:e===1/0?this.inQueue:n<1/0?void 0:{at:e,to:this.overUs}}get accepting(){let e=Math.min(this.leftUs,this.takenUs,this.goneUs);return this.seenUs<e?{at:this.seenUs,to:e}:void 0}hasEnded(e,t){let n=this.begunUs===1/0?this.goneUs:this.overUs;return e>=n&&e>=this.endUs(t)}endUs(e){if(this.begunUs===1/0)return this.goneUs;if(this.overUs===1/0)return 1/0;if(this.goneUs<1/0){let t=e&&this.endedWith===void 0&&!this.isLeftOut;return Math.max(this.overUs,this.goneUs+(t?Tn:0))}return e&&this.over?.outcome!=="unknown"?1/0:this.overUs}look(e,t){this.waitsFor=void 0,this.queueOf=void 0,this.task=void 0,this.doing="waiting";let n=this.hasEnded(e,t),o=e>=this.overUs||n;this.thread=e>=this.servedUs?this.server:void 0,this.outcome=o?this.over?.outcome:void 0,this.failure=o?this.over?.failure:void 0,this.ending=n?this.endedWith??"unknown":void 0,n?this.#t("ended",this.endUs(t)):e>=this.overUs?this.#t("closing",this.overUs):e>=this.servedUs?this.#i(e):e>=this.begunUs?this.#e(e):this.inQueue!==void 0&&e>=this.inQueue.at?this.#t(e<this.inQueue.to?"hand-over queue":"taken",this.inQueue.at):e<this.leftUs?this.#t("accept queue",this.seenUs):this.#t("taken",this.leftUs)}#t(e,t){this.place=e,this.sinceUs=t}#e(e){let{waiting:t}=this,n=t!==void 0&&t.at<=e&&e<t.to;this.#t(n?"hand-over queue":"taken",t?.at??this.begunUs)}#i(e){let{open:t}=this;this.#t("thread",this.servedUs);let n=this.computing?.find(e)??Ne(t,"computing",e),o=this.awaiting?.find(e)??Ne(t,"waiting for computing",e);if(n!==void 0&&n.thread===this.server)return this.#n("computing",n);let i=o??n;if(i!==void 0)return this.#n("waiting for computing",i);let s=this.writing?.find(e)??Ne(t,"writing",e);if(s!==void 0)return this.#n("writing",s);this.doing="reading",this.sinceUs=Math.max(this.servedUs,this.computing?.last(e)?.to??0,this.awaiting?.last(e)?.to??0,this.writing?.last(e)?.to??0)}#n(e,{at:t,task:n}){this.doing=e,this.task=n,this.sinceUs=t}};function Ne(r,e,t){return r?.what===e&&r.at<=t&&t<r.to?r:void 0}var he=class{#t=[];#e=[];#i=!0;#n=[];#o=0;#s=-1/0;#r=0;get all(){return this.#a(),this.#t}add(e){this.#e.push(e)}comes({fromUs:e},t){t<1/0&&e<t&&(this.#i=!1)}lookAnew(){this.#s=1/0}keep(e){this.#a(),this.#t=this.#t.filter(e),this.lookAnew()}presentAt(e,t,n){this.#a();let o=e>=this.#s&&t===this.#r;o||(this.#n=[],this.#o=0);let i=s=>s.hasEnded(e-t,n);for(o&&this.#n.some(i)&&(this.#n=this.#n.filter(s=>!i(s)));this.#o<this.#t.length;this.#o++){let s=this.#t[this.#o];if(s.fromUs>e)break;i(s)||this.#n.push(s)}return this.#s=e,this.#r=t,this.#n}#a(){let e=this.#e;if(!(this.#i&&e.length===0)){if(this.#e=[],this.#i&&e.length<=256){for(let t of e)this.#d(t);return}for(let t of e)this.#t.push(t);this.#t.sort((t,n)=>t.fromUs-n.fromUs),this.#i=!0,this.lookAnew()}}#d(e){let t=this.#t,{fromUs:n}=e,o=t.length;for(;o>0&&t[o-1].fromUs>n;)o--;o===t.length?t.push(e):t.splice(o,0,e),!(o>=this.#o)&&(this.#o++,this.#n.push(e))}};var kn=3,Mn=.9;function wt(r,e,t,n){let{connection:o,fromUs:i,servedUs:s,overUs:d}=r;if(o===void 0||s===1/0)return[];let a={fromUs:i,toUs:Math.min(d,n)},u=e.filter(y=>y!==r&&y.servedUs<a.toUs&&y.overUs>i),l=t.get(r.server??0),h=l?.isLoop===!0?Ln(l,a):void 0,c=[r,...u],m=c.map(y=>Un(y,h,n)),{stretches:g}=Se(a,0,m),p=({toUs:y})=>y<a.toUs||d<=n;return g.filter(p).flatMap(y=>{let w=En(y,m[0]),{doing:b,fromUs:T,toUs:U,waitedFor:F}=y,Nt=U-T>=N&&(b!=="thread"||F.length>0);if(w===void 0||!Nt)return[];let Dt=Sn(F,U-T,_t=>c[_t]?.connection),Ht=\`#\${o} waited \${x(U-T)}\${Dt} \${w}\`;return[{us:U,text:Ht,connection:o}]})}function En({doing:r,fromUs:e,toUs:t},{awaiting:n}){switch(r){case"accept":return"in the accept queue";case"queue":return"in the hand-over queue";case"thread":return n.some(({until:[o,i]})=>o<t&&e<i)?"until a thread could compute for it":"until its loop was free";default:return}}function Sn(r,e,t){let[n]=r;if(n===void 0)return"";if(n.us>=e*Mn)return\` for #\${t(n.place)}\`;let o=r.slice(0,kn).map(({place:i,us:s},d)=>\`\${x(s)}\${d===0?" of it":""} for #\${t(i)}\`);return\`, \${o.join(", ")}\${r.length>o.length?" and more for others":""},\`}function Ln({turns:r,computing:e,open:t},{fromUs:n,toUs:o}){let i=new Map,s=t===void 0?[]:[{...t,to:Math.min(t.to,o)}];for(let{connection:d,at:a,to:u}of[...r.all,...e.all,...s]){if(d===void 0||u<=n||o<=a)continue;let l=i.get(d);l===void 0?i.set(d,[[a,u]]):l.push([a,u])}return i}function Un({connection:r=0,takenUs:e,servedUs:t,overUs:n,server:o,computing:i,awaiting:s},d,a){let u=(i?.all??[]).map(({at:c,to:m,thread:g})=>({during:[c,m],thread:g})),l=(s?.all??[]).map(({at:c,to:m})=>[c,m]),h=d?.get(r)??[];return{begunUs:e,servedUs:t,thread:o,computing:u,awaiting:Le(l,u),busy:h,holds:d===void 0?[[t,Math.min(n,a)]]:h}}var On=7e5,Cn=.1,$n=["done","cut","empty","failed","unknown"],In=["FIN","RST","unknown"],kt={fin:"FIN",reset:"RST",unknown:"unknown"},$=class{header;isFinished=!1;#t;#e=new Map;#i=new re;#n=new he;#o=new Map;#s=new Map;#r=new Map;#a=new Map;#d=new Map;#c=new _;#l=new Map($n.map(e=>[e,new _]));#u=new Map(In.map(e=>[e,new _]));#f=new M;#v;#m=new M;#E=new M;#g=new Map;#p=!1;#k=!1;#h=0;#x=1/0;#y=0;#S=1/0;#O=0;#R;#M;constructor({keepUs:e=1/0}={}){this.#t=e}get fromUs(){return Math.max(this.#x===1/0?0:this.#x,this.#O)}get toUs(){return this.#y}get firstUs(){let e=this.#n.all[0]?.fromUs??1/0;return e===1/0?void 0:e}get figures(){return this.#m.all.map(({value:e})=>e)}get dots(){return this.#n.all}add(e){for(let n of e)this.#P(n);this.#R=this.#M=void 0;let t=this.#y-this.#t;t-this.#O>this.#t*Cn&&this.#K(t)}at(e,t=0){let n=this.#n.presentAt(e,t,this.#p),o=new Map,i=[],s=0;for(let c of n){if(c.look(e,this.#p),c.place==="accept queue"&&i.push(c),c.place==="hand-over queue"&&s++,c.place!=="thread"||c.server===void 0)continue;let m=o.get(c.server);m===void 0?o.set(c.server,[c]):m.push(c)}let d=[];for(let c of this.#e.values()){let m=o.get(c.number)??[];c.presence.at(e)!==!0&&m.length===0||d.push(bt(c,e,m))}this.#i.sayWhose(e,i),Rn(n,d);let a=this.#f.at(e),u=this.#n.all,l=new Map([...this.#g].map(([c,m])=>[c,m.at(e)??0])),h=Tt(this.#l,e);return{us:e,dots:n,threads:d.sort((c,m)=>c.number-m.number),acceptQueue:this.#i.at(e,u,i),hasHandOver:this.#C||d.some(({kind:c})=>c==="accepts"),handOverQueue:ht(e,{counters:this.#f,counts:this.#L(e),tracks:u,seen:s}),totals:{begun:this.#c.countAt(e),outcomes:h,endings:this.#V(e,h,l,n)},areEndsTold:this.#p,hasUnknownEnds:this.#A,counters:a,figures:this.#m.at(e),leftOut:l,isPartial:e-(this.#g.get("connections")?.last(e)?.at??-1/0)<On,isClosing:e>=this.#S,note:this.#E.at(e)}}countersAt(e){let t=this.#f.at(e),n=this.#L(e).last(e)?.at;return t===void 0||n===void 0?void 0:{at:n,value:t}}#L(e){return this.#m.countAt(e)>0?this.#m:this.#f}get#C(){return this.#k||this.#v?.queued!==void 0}get#A(){return!this.#p||this.#t<1/0||(this.#u.get("unknown")?.countAt(1/0)??0)>0||[...this.#g.keys()].some(e=>e!=="spans")}#V(e,t,n,o){let i=Tt(this.#u,e),d=![...n].some(([l,h])=>l!=="spans"&&h>0)?0:this.#$(this.#f.at(e),i,o),a=Object.values(t).reduce((l,h)=>l+h,0),u=this.#p?d:Math.max(d,a);return{...i,unknown:i.unknown+u}}#$(e,t,n){let o=this.#v;if(e===void 0||o===void 0)return 0;let i=({accepted:a=0,live:u=0})=>a-u,s=t.FIN+t.RST+t.unknown,d=n.reduce((a,{place:u})=>a+(u==="closing"?1:0),0);return Math.max(0,i(e)-i(o)-s-d)}find(e,t){return e!==void 0?this.#o.get(e):this.#n.all.find(n=>n.id===t)}lifeOf(e){let t=e;if(this.#M?.track!==t){let n=wt(t,this.#n.all,this.#e,this.#y),o=vt([...Ae(t,this.#U),...n]);this.#M={track:t,happenings:o}}return this.#M.happenings}happenings(){return this.#R??=vt([...this.#n.all.flatMap(e=>Ae(e,this.#U)),...this.#N()])}#N(){let e=this.#S;return this.#n.all.some(({doneUs:n})=>e<n)&&e<1/0?[{us:e,text:"the server is told to close",connection:void 0}]:[]}#U=e=>this.#e.get(e??0)?.name??"a thread";#P(e){if(e.type==="recording"){this.header=e;return}switch(this.#x=Math.min(this.#x,e.at),this.#y=Math.max(this.#y,e.at,"to"in e&&e.type==="span"?e.to:0),e.type){case"thread":return this.#D(e);case"begun":return this.#w(e);case"queued":{this.#k=!0;let t=this.#o.get(e.connection);t!==void 0&&(t.queued=e);return}case"served":{let t=this.#o.get(e.connection);if(t===void 0)return;t.servedUs=e.at,t.server=e.thread;return}case"over":{this.#l.get(e.outcome)?.add(e.at);let t=this.#o.get(e.connection);if(t===void 0)return;t.overUs=e.at,t.over={outcome:e.outcome,failure:e.failure},t.open=void 0;return}case"span":return this.#T(e);case"doing":return this.#b(e);case"client":return this.#H(e);case"socket":return this.#Q(e);case"connection":return this.#_(e);case"listener":return e.cookie!==void 0&&this.#q(),this.#i.add(e);case"counters":this.#v??=e.values,this.#f.add(e.at,e.values);return;case"figures":this.#m.add(e.at,e);return;case"closing":this.#S=Math.min(this.#S,e.at);return;case"note":this.#E.add(e.at,e.text);return;case"left_out":{let t=this.#g.get(e.what)??new M;this.#g.set(e.what,t),t.add(e.at,(t.at(e.at)??0)+e.count),e.what!=="spans"&&this.#F(e.at);return}case"end":this.isFinished=!0}}#D({thread:e,name:t,loop:n,gone:o,at:i}){let s=this.#e.get(e)??new ue(e,String(t));if(this.#e.set(e,s),s.name=String(t),s.isLoop||=n===!0,s.presence.add(i,o!==!0),o!==!0)return this.#i.comes(e,i);s.open=void 0,this.#i.leaves(e,i)}#w(e){let{at:t,connection:n,peer:o,cookie:i,connected:s=1/0,by:d}=e;this.#c.add(t);let u=(i===void 0?void 0:this.#r.get(i))??this.#s.get(o),h=u!==void 0&&u.connection===void 0&&t<u.goneUs?u:this.#I(o);h.goneUs<1/0&&this.#n.lookAnew();let{fromUs:c}=h;h.connection=n,h.begunUs=t,h.seenUs=Math.min(h.seenUs,s),this.#n.comes(h,c),h.isOwn=d==="page",this.#o.set(n,h),i!==void 0&&this.#r.set(i,h);let m=this.#a.get(o);m!==void 0&&this.#H(m);let g=this.#d.get(o);g!==void 0&&(this.#d.delete(o),g.at>=t&&xt(h,g))}#H(e){let{peer:t,connected:n,to:o}=e,i=this.#s.get(t);if(i===void 0||i.begunUs>o||i.goneUs<n){this.#a.set(t,e);return}this.#a.delete(t);let{fromUs:s}=i;i.seenUs=Math.min(i.seenUs,n),this.#n.comes(i,s)}#I(e){let t=new ce(++this.#h,String(e));return this.#n.add(t),this.#s.set(e,t),t}#T(e){let{name:t,at:n,to:o,thread:i,task:s}=e,d=i===void 0?void 0:this.#e.get(i);d?.open!==void 0&&d.open.at<o&&(d.open=void 0);let a=e.connection===void 0?void 0:this.#o.get(e.connection);a?.open!==void 0&&a.open.at<o&&(a.open=void 0);let u={at:n,to:o,thread:i,task:s};switch(t){case"computing":d?.computing.add(e),a?.add("computing",u);return;case"waiting for computing":a?.add("awaiting",u);return;case"writing":d?.writing.add(e),a?.add("writing",u);return;case"turn":case"turns":d?.turns.add(e)}}#b(e){let{at:t,thread:n,connection:o,peer:i,what:s,task:d}=e;if(i!==void 0)return this.#W(i,t,s!==void 0);let a=n===void 0?void 0:this.#e.get(n);if(s===void 0){let l=a===void 0?o:a.open?.connection;a?.open!==void 0&&(a.open={...a.open,to:t});let h=this.#o.get(l??0);h?.open!==void 0&&(h.open={...h.open,to:t});return}a!==void 0&&(a.open={...e,to:1/0});let u=this.#o.get(o??0);u!==void 0&&(u.open={at:t,to:1/0,thread:n,task:d,what:s})}#W(e,t,n){this.#k=!0;let o=this.#B(e,t);if(n){let i=o?.connection===void 0&&o!==void 0?o:this.#I(e),{fromUs:s}=i;i.inQueue={at:t,to:1/0},this.#n.comes(i,s)}else o?.inQueue!==void 0&&(o.inQueue={...o.inQueue,to:t})}#Q({at:e,cookie:t,remote:n,state:o,end:i,waiting:s,connected:d=e}){if(i==="client")return;this.#q();let a=this.#r.get(t)??this.#B(n,e);if(o==="CLOSE"){if(this.#r.delete(t),a===void 0)return;a.goneUs=Math.min(a.goneUs,e),a.leftUs=Math.min(a.leftUs,e);return}if(this.#i.seesSockets(e),s===!0){a??=this.#I(n);let{fromUs:u}=a;a.seenUs=Math.min(a.seenUs,d),this.#n.comes(a,u)}else a!==void 0&&a.seenUs<e&&(a.leftUs=Math.min(a.leftUs,e));a!==void 0&&this.#r.set(t,a)}#q(){this.#p||this.#n.lookAnew(),this.#p=!0}#B(e,t){let n=this.#s.get(e);return n!==void 0&&t<n.goneUs?n:void 0}#_(e){this.#q(),this.#u.get(kt[e.ended_with]??"unknown")?.add(e.at);let n=(e.cookie===void 0?void 0:this.#r.get(e.cookie))??this.#s.get(e.remote);n!==void 0&&n.endedWith===void 0&&n.fromUs<=e.at?(n.goneUs<e.at&&this.#n.lookAnew(),xt(n,e)):this.#d.set(e.remote,e)}#F(e){let t=new Set(this.#r.values());for(let n of this.#n.all)n.overUs>e||n.endedWith!==void 0||t.has(n)||(n.isLeftOut=!0,n.goneUs===1/0&&(n.goneUs=e))}#K(e){this.#O=e;let t=({doneUs:n})=>n<e;this.#n.keep(n=>t(n)?(n.connection!==void 0&&this.#o.delete(n.connection),this.#s.get(n.peer)===n&&this.#s.delete(n.peer),!1):!0);for(let[n,o]of this.#r)t(o)&&this.#r.delete(n);for(let[n,{at:o}]of this.#d)o<e&&this.#d.delete(n);for(let[n,{to:o}]of this.#a)o<e&&this.#a.delete(n);for(let n of this.#n.all)n.forget(e);for(let[n,o]of this.#e){o.forget(e);let{all:i}=o.presence;i.length===1&&i[0]?.value===!1&&i[0].at<e&&this.#e.delete(n)}this.#i.forget(e);for(let n of[this.#c,...this.#l.values(),...this.#u.values()])n.forget(e);for(let n of[this.#f,this.#m,this.#E,...this.#g.values()])n.forget(e)}};function vt(r){return r.toSorted((e,t)=>e.us-t.us)}function xt(r,{at:e,ended_with:t}){r.goneUs=e,r.endedWith=kt[t]??"unknown"}function Tt(r,e){let t=[...r].map(([n,o])=>[n,o.countAt(e)]);return Object.fromEntries(t)}function Rn(r,e){let t=s=>{let d=e.filter(a=>a.kind===s);return d.length===1?d[0]:void 0},n=s=>s?.isLoop===!0?s.standsStill?s.activity?.connection:void 0:s?.dots[0]?.connection,o=n(t("serves")),i=t("computes")?.activity?.connection;for(let s of r){let{place:d,doing:a,connection:u,queueOf:l}=s;l!==void 0?s.waitsFor=n(e.find(({number:h})=>h===l)):d==="accept queue"||d==="hand-over queue"?s.waitsFor=o:a==="waiting for computing"&&u!==i&&(s.waitsFor=i)}}var Pn=Math.PI*(3-Math.sqrt(5));function Et(r){return r<=30?10:r<=120?7:r<=500?4.5:r<=2e3?3:1.8}function St({width:r,height:e},t,n){let o=n*2.6,i=Math.min(o,Math.sqrt(r*e/Math.max(1,t)));for(;i>.5&&Math.max(1,Math.floor(r/i))*Math.max(1,Math.floor(e/i))<t;)i*=.97;return i}function Lt(r,e,t,n){let o=St(r,e,t),{x:i,y:s,width:d,height:a}=r;if(n){let l=Math.max(1,Math.floor(d/o));return h=>({x:i+o*(h%l+.5),y:s+a-o*(Math.floor(h/l)+.5)})}let u=Math.max(1,Math.floor(a/o));return l=>({x:i+d-o*(Math.floor(l/u)+.5),y:s+o*(l%u+.5)})}function Q(r,e,t){let n=St(r,e,t),o=Math.max(1,Math.floor(r.width/n));return i=>({x:r.x+n*(i%o+.5),y:r.y+n*(Math.floor(i/o)+.5)})}function De({x:r,y:e,width:t,height:n},o){let i=Math.max(4,Math.min(t,n)/2-o-3);return{x:r+t/2,y:e+n/2,radius:i}}function Ut(r,e,t,n){let o=Math.floor(2*Math.PI*e.radius/(n*2.6)),i=2**Math.floor(Math.log2(Math.max(1,o))),s=t<=i,d=2**Math.ceil(Math.log2(Math.max(1,t)));r.set(\`\${e.x} \${e.y} \${e.radius} \${s?0:d}\`,a=>{if(s)return Mt(e,e.radius,2*Math.PI*An(a)-Math.PI/2);let u=Math.sqrt(.06+.94*(a+.5)/d);return Mt(e,e.radius*u,a*Pn)})}function Mt({x:r,y:e},t,n){return{x:r+t*Math.cos(n),y:e+t*Math.sin(n)}}function An(r){let[e,t]=[0,.5];for(let n=r;n>0;n>>=1,t/=2)(n&1)===1&&(e+=t);return e}var fe=class{#t="";#e=()=>({x:0,y:0});#i=[];set(e,t){e!==this.#t&&(this.#t=e,this.#e=t,this.#i.length=0)}at(e){return this.#i[e]??=this.#e(e)}},I=class{#t=new Map;#e=[];#i=0;#n=0;get size(){return this.#i}keep(e){let t=++this.#n,n;for(let i of e){let s=this.#t.get(i);s===void 0?(n??=[]).push(i):s.round=t}let o=e.length-(n?.length??0);this.#t.size>o&&this.#o(t);for(let i of n??[])this.#t.set(i,{number:this.#e.pop()??this.#i++,round:t})}#o(e){for(let[t,n]of this.#t)n.round!==e&&(this.#t.delete(t),this.#e.push(n.number));this.#t.size===0&&(this.#e.length=0,this.#i=0),this.#e.sort((t,n)=>n-t)}of(e){return this.#t.get(e)?.number??0}};var He={closing:["Closing","end not seen"],FIN:["FIN","ended in order"],RST:["RST","reset"],unknown:["Over","how is not told"]};function K(r,e,t){let n=f("p",{class:"count"}),o=f("p",{class:"who whom"}),i=f("div",{class:"well"});return{root:f("section",{class:\`box \${r}\`,children:[...e===""?[]:[f("h3",{text:e})],...t===""?[]:[f("p",{class:"who",text:t})],n,o,i]}),count:n,whom:o,well:i}}function Ot({number:r,name:e,isLoop:t,kind:n,turns:o}){let i=f("p",{class:"what"}),s=f("div",{class:"well"});return{root:f("div",{class:\`card \${t?"loop":n}\`,attributes:{"data-thread":String(r)},children:[f("h4",{text:e}),i,s]}),what:i,well:s,turns:o,slots:new I,places:new fe,angle:-Math.PI/2,rectangle:{x:0,y:0,width:1,height:1},toAngle:-Math.PI/2}}function Ct({activity:r,dots:e,isLoop:t,standsStill:n}){return r?.what==="computing"||n?"computing":r?.what==="writing"?"writing":t||e.length===0?"free":"reading"}function me(r,e){return\`\${k(r)} \${e}\${r===1?"":"s"}\`}function $t({activity:r,dots:e,isLoop:t,standsStill:n,turns:o,kind:i},s,d){let a=r?.connection===void 0?"":\` for \${d(r.connection)}\`,u=r===void 0?"":x(Math.max(0,s-r.sinceUs));if(r?.what==="computing"){let c=r.task===void 0?"":\` \${r.task}\`;return t?\`stands still: computes\${c}\${a} · \${u}\`:\`computes\${c}\${a} · \${u}\`}if(n)return\`stands still: a turn\${a} · \${u}\`;if(t)return\`\${me(e.length,"connection")} · \${G(o)} \${o===1?"turn":"turns"}\`;if(i==="computes")return"free";let[l]=e;if(l===void 0)return"free";let h=l.connection===void 0?l.peer:d(l.connection);return l.doing==="writing"?\`waits until \${h} takes what was sent\`:\`waits for \${h} to send\`}var It=90,Nn=2e3,Dn=4,Hn=9,pe=class{#t=new Map;#e=new Map(S.map(({look:e})=>[e,[]]));#i=0;get size(){return this.#t.size}keep(e){let t=++this.#i,[n,o]=[!1,!1];for(let i of e){let s=this.#t.get(i);if(s===void 0){n=!0,this.#t.set(i,{x:NaN,y:NaN,toX:NaN,toY:NaN,alpha:0,round:t,dot:i,look:R(i),place:i.place,thread:i.thread});continue}s.round=t;let d=R(i);o||=d!==s.look||i.place==="ended",s.look=d,!(s.place===i.place&&s.thread===i.thread)&&(n=!0,s.place=i.place,s.thread=i.thread)}if(this.#t.size>e.length){for(let[i,s]of this.#t)s.round!==t&&this.#t.delete(i);n=!0}return{hasMoved:n,hasChanged:o||n}}find(e){return this.#t.get(e)}send(e,{x:t,y:n},o){let i=this.#t.get(e);i!==void 0&&(i.toX=t,i.toY=n,Number.isNaN(i.x)&&(i.x=t+o.x,i.y=n+o.y))}move(e,t){let n=t?1:1-Math.exp(-e/It),o=!1;for(let i of this.#t.values()){let[s,d]=[i.toX-i.x,i.toY-i.y];n===1||Math.abs(s)+Math.abs(d)<.4?(i.x=i.toX,i.y=i.toY):(i.x+=s*n,i.y+=d*n,o=!0),!(i.alpha>=1)&&(i.alpha=Math.min(1,t?1:i.alpha+e/(2*It)),o=!0)}return o}get isLarge(){return this.#t.size>Nn}nearest({x:e,y:t},n){let[o,i]=[void 0,n*n];for(let s of this.#t.values()){let d=(s.x-e)**2+(s.y-t)**2;d>i||([o,i]=[s,d])}return o?.dot}draw(e,t){let{radius:n,colours:o}=t;for(let s of this.#e.values())s.length=0;for(let s of this.#t.values())Number.isNaN(s.x)||this.#e.get(s.look)?.push(s);for(let[s,d]of this.#e){if(d.length===0)continue;let a=o.get(s);n<Dn?_n(e,d,a,n):Vn(e,d,s,a,t)}e.globalAlpha=1;let{isFollowed:i}=t;if(i!==void 0)for(let s of this.#t.values())i(s.dot)&&(e.strokeStyle=o.get("accent"),e.lineWidth=2,e.beginPath(),e.arc(s.x,s.y,Math.max(n+4,7),0,2*Math.PI),e.stroke())}};function _n(r,e,t,n){if(r.globalAlpha=1,r.fillStyle=t,n<2.5){let o=2*n;for(let{x:i,y:s}of e)r.fillRect(i-n,s-n,o,o);return}r.beginPath();for(let{x:o,y:i}of e)r.moveTo(o+n,i),r.arc(o,i,n,0,2*Math.PI);r.fill()}function Vn(r,e,t,n,{radius:o,colours:i,letterOf:s,shareOf:d,font:a}){let u=Ge.get(t),l=i.get("well"),h=Math.max(1.5,o*.26);r.lineWidth=h,r.strokeStyle=n,r.font=a,r.textAlign="center",r.textBaseline="middle";for(let c of e){let{x:m,y:g,dot:p}=c;if(r.globalAlpha=c.alpha*d(p),r.beginPath(),u==="cross"){let y=o*.7;r.moveTo(m-y,g-y),r.lineTo(m+y,g+y),r.moveTo(m+y,g-y),r.lineTo(m-y,g+y),r.stroke();continue}r.arc(m,g,u==="ring"?o-h/2:o,0,2*Math.PI),r.fillStyle=u==="ring"?l:n,r.fill(),u==="ring"&&r.stroke(),!(o<Hn)&&(r.fillStyle=u==="ring"?n:l,r.fillText(s(p),m,g+.5))}r.globalAlpha=1}function _e({x:r,y:e,width:t,height:n}){return{x:r+t/2,y:e+n/2}}var qn=32,Fn=720,Bn=100,Wn=64,Qn=70,Rt="in the kernel",Kn="no newcomers",ge=class{root;canvas;#t;#e;#i;#n;#o;#s;#r;#a;#d=new pe;#c;#l=new Map;#u;#f="";#v=new Map;#m=!1;#E=1;#g=!1;#p=new Map;#k=-1/0;#h=10;#x="";#y=!0;lingerUs=7e5;constructor(e){this.#c=e;let t=f("div",{class:"fill"}),n=K("accept","Accept queue",Rt);n.count.after(f("div",{class:"gauge",children:[t]}));let o=f("p",{class:"who parts"});n.whom.after(o),this.#e={...n,gauge:t,parts:o,where:n.root.querySelector(".who")},this.#i=K("handover","Hand-over queue","in the process"),this.#s=f("div",{class:"cards"}),this.#r=f("p",{class:"others"}),this.#o=f("p",{class:"who"});let i=f("h3",{text:"Threads"});this.#n={root:f("section",{class:"box threads",children:[i,this.#o,this.#s,this.#r]}),title:i},this.#a=new Map(Object.keys(He).map(d=>{let a=K(\`end \${d.toLowerCase()}\`,...He[d]);return[d,{...a,slots:new I}]}));let s=f("div",{class:"ends",children:[...this.#a.values()].map(({root:d})=>d)});this.#t=f("div",{class:"flow",children:[this.#e.root,this.#i.root,this.#n.root,s]}),this.canvas=f("canvas",{attributes:{"aria-hidden":"true"}}),this.root=f("div",{class:"stage",children:[this.#t,this.canvas]})}refresh(){this.#m=!1,this.#y=!0,this.#k=-1/0}hit(e){return this.#d.nearest(e,Math.max(14,this.#h+4))}show(e,{passedMs:t,jumps:n,isPlaying:o}){let i=performance.now();this.#O(e)&&this.refresh(),(i-this.#k>=Bn||!o)&&(this.#k=i,this.#R(e)),this.#m||this.#L();let{hasMoved:s,hasChanged:d}=this.#d.keep(e.dots);(s||this.#y)&&this.#A(e);let a=this.#d.move(t,n),u=this.#P(e,t,n),l=this.#S(e);return(d||a||u||this.#y||l!==this.#x)&&this.#D(e),this.#x=l,this.#y=!1,a||u}#S({threads:e}){return e.map(({activity:t,isLoop:n,standsStill:o,kind:i})=>t!==void 0&&(n||i==="computes")?\`\${t.what} \${t.connection} \${o}\`:"").join()}get isLarge(){return this.#d.isLarge}#O(e){let{threads:t,hasHandOver:n,areEndsTold:o,hasUnknownEnds:i}=e,s=t.filter(({kind:b})=>b==="serves"||b==="computes"),d=s.filter(({isLoop:b})=>b),a=s.filter(({isLoop:b})=>!b),u=a.length>qn,l=u?d:[...d,...a],h=t.filter(({kind:b})=>b!=="serves"&&b!=="computes"),c=JSON.stringify([n,u,o,i,Pe(e,this.#c.nameOf).length,l.map(({number:b,name:T})=>[b,T]),h.map(({name:b})=>b)]);if(c===this.#f)return!1;this.#f=c,this.#i.root.hidden=!n,this.#t.classList.toggle("with-handover",n);for(let[b,{root:T}]of this.#a)T.hidden=b==="unknown"?!i:!o;let m=new Map(this.#l);this.#l.clear();for(let b of l)this.#l.set(b.number,m.get(b.number)??Ot(b));let g=[...this.#l.values()].map(({root:b})=>b);u?(this.#u??={...K("dense","",""),slots:new I},g.push(this.#u.root)):this.#u=void 0,this.#s.replaceChildren(...g),this.#s.classList.toggle("one",l.length===1&&!u);let p=d.length===0,y=l.some(({name:b})=>b.startsWith("process"));v(this.#n.title,p?y?"Processes":"Threads":d.length===1?"Event loop":"Event loops");let w=h.map(({name:b})=>b).join(", ");return v(this.#r,w===""?"":\`also there: \${w}\`),this.#r.hidden=w==="",!0}#R(e){let{acceptQueue:t,handOverQueue:n,dots:o,totals:i,threads:s,us:d}=e,a=w=>o.reduce((b,T)=>b+(T.place===w?1:0),0),{waiting:u=0,limit:l=0}=t;v(this.#e.count,V(t)),this.#e.where!==null&&v(this.#e.where,e.isClosing?Kn:Rt),this.#e.gauge.style.width=\`\${l===0?0:Math.min(100,u/l*100)}%\`;let h=Pe(e,this.#c.nameOf);this.#e.whom.hidden=h.length>0,this.#e.parts.hidden=h.length===0,v(this.#e.parts,h.join(\`
\`)),this.#M(this.#e,"accept queue",o),this.#M(this.#i,"hand-over queue",o),v(this.#i.count,V(n));for(let w of s){let b=this.#l.get(w.number);if(b===void 0)continue;let{root:T,what:U}=b,F=$t(w,d,this.#c.nameOf);v(U,F),U.title=F,T.dataset.state=Ct(w)}let c=s.filter(({kind:w})=>w==="serves"),m=c.reduce((w,{dots:b})=>w+b.length,0),g=c.filter(({dots:w})=>w.length>0).length;this.root.classList.toggle("partial",e.isPartial);let p=e.counters?.live,y=(e.leftOut.get("connections")??0)===0||p===void 0||p<=m;if(v(this.#o,e.isPartial&&p!==void 0?\`the server counts \${me(p,"connection")}, too many come and go to draw each\`:c.some(({isLoop:w})=>w)?\`\${y?"":\`\${k(m)} of \`}\${me(y?m:p,"connection")} in turns\`:\`\${k(g)} of \${k(c.length)} \${g===1?"serves":"serve"}\`),this.#u!==void 0){let w=c.filter(({activity:b})=>b?.what==="computing").length;v(this.#u.count,\`\${k(c.length)} threads: \${k(w)} compute, \${k(g-w)} wait for peers, \${k(c.length-g)} are free\`)}for(let[w,{count:b}]of this.#a)v(b,k(w==="closing"?a("closing"):i.endings[w]))}#M({whom:e},t,n){let o=n.find(i=>i.place===t)?.waitsFor;v(e,o===void 0?"":\`for \${this.#c.nameOf(o)}\`)}#L(){this.#m=!0;let e=this.root.getBoundingClientRect(),t=l=>{let{x:h,y:c,width:m,height:g}=l.getBoundingClientRect();return{x:h-e.x,y:c-e.y,width:m,height:g}};this.#g=e.width<Fn,this.#v=new Map;let n=[this.#e,this.#i,...this.#a.values()].map(({well:l})=>l);this.#u!==void 0&&n.push(this.#u.well);for(let l of n)this.#v.set(l,t(l));for(let l of this.#l.values())l.rectangle=t(l.well);let o=this.#E=Math.min(2,devicePixelRatio),[i,s]=[Math.round(e.width*o),Math.round(e.height*o)];(this.canvas.width!==i||this.canvas.height!==s)&&(this.canvas.width=i,this.canvas.height=s);let d=getComputedStyle(this.root),a=f("i",{class:"probe"});this.root.append(a);let u=[...S.map(({look:l})=>l),"well","accent","line","faint"];this.#p=new Map(u.map(l=>(a.style.color=\`var(--figure-\${l})\`,[l,getComputedStyle(a).color]))),a.remove(),this.#C=\`600 10px \${d.fontFamily}\`}#C="600 10px sans-serif";#A(e){let{dots:t,threads:n}=e;this.#h=Et(t.length);let o=this.#h,i=new Map;for(let l of t){let h=l.place==="ended"?l.ending:l.place,c=i.get(h);c===void 0?i.set(h,[l]):c.push(l)}let s=this.#g?{x:0,y:-18}:{x:-18,y:0},d=(l,h)=>l.sinceUs-h.sinceUs||l.id-h.id,a=(l,{well:h})=>{let c=Lt(this.#U(h),l.length,o,this.#g);l.sort(d).forEach((m,g)=>this.#d.send(m,c(g),s))};a(i.get("accept queue")??[],this.#e);let u=!this.#i.root.hidden;u&&a([...i.get("hand-over queue")??[],...i.get("taken")??[]],this.#i);for(let l of n)this.#$(l,s);if(this.#u!==void 0&&this.#N(n,s),!u){let{x:l,y:h,height:c}=this.#V();for(let m of[...i.get("hand-over queue")??[],...i.get("taken")??[]])this.#d.send(m,{x:l-o,y:h+c/2},s)}for(let[l,{well:h,slots:c}]of this.#a){let m=i.get(l)??[];c.keep(m);let g=Q(this.#U(h),Math.max(1,c.size),o);for(let p of m)this.#d.send(p,g(c.of(p)),s)}}#V(){return[...this.#l.values()][0]?.rectangle??{x:0,y:0,width:0,height:0}}#$({number:e,dots:t,isLoop:n},o){let i=this.#l.get(e);if(i===void 0)return;let{rectangle:s,slots:d,places:a}=i;d.keep(t);let u=this.#h;if(n){Ut(a,De(s,u),d.size,u);for(let h of t)this.#d.send(h,a.at(d.of(h)),o);return}let l=Q(s,Math.max(1,d.size),u);for(let h of t)this.#d.send(h,l(d.of(h)),o)}#N(e,t){if(this.#u===void 0)return;let{well:n,slots:o}=this.#u,i=e.filter(({number:d,kind:a})=>a==="serves"&&!this.#l.has(d));o.keep(i.map(({number:d})=>d));let s=Q(this.#U(n),Math.max(1,o.size),this.#h);for(let{number:d,dots:a}of i)for(let u of a)this.#d.send(u,s(o.of(d)),t)}#U(e){return this.#v.get(e)??{x:0,y:0,width:1,height:1}}#P({threads:e,dots:t},n,o){let i=!1;for(let{number:s,isLoop:d,activity:a,turns:u,lastTurn:l,dots:h}of e){let c=d?this.#l.get(s):void 0;if(c===void 0)continue;let m=a?.connection??l,g=m===void 0?void 0:h.find(({connection:w})=>w===m),p=g&&this.#d.find(g);if(p!==void 0){let w=_e(c.rectangle);c.toAngle=Math.atan2(p.toY-w.y,p.toX-w.x)}else u!==c.turns&&(c.toAngle+=(u-c.turns)*2*Math.PI/Math.max(8,h.length));c.turns=u;let y=zn(c.toAngle-c.angle);o||Math.abs(y)<.01?c.angle=c.toAngle:(c.angle+=y*(1-Math.exp(-n/Qn)),i=!0)}return i&&t.length>0}#D(e){let t=this.canvas.getContext("2d");if(t===null)return;let n=this.#E;t.setTransform(n,0,0,n,0,0),t.clearRect(0,0,this.canvas.width,this.canvas.height);for(let i of e.threads)i.isLoop&&this.#H(t,i);this.#I(t,e.threads),this.#T(t,e);let{lingerUs:o}=this;this.#d.draw(t,{radius:this.#h,colours:this.#p,font:this.#C,letterOf:this.#c.letterOf,isFollowed:this.#c.followed(),shareOf:({place:i,sinceUs:s})=>i==="ended"?Math.max(0,1-(e.us-s)/o):1})}#w(e){return this.#p.get(e)??"gray"}#H(e,{number:t,standsStill:n}){let o=this.#l.get(t);if(o===void 0)return;let{x:i,y:s,radius:d}=De(o.rectangle,this.#h);e.lineWidth=n?2.5:1.5,e.strokeStyle=this.#w(n?"computing":"line"),e.beginPath(),e.arc(i,s,d,0,2*Math.PI),e.stroke();let a=Math.max(4,d-this.#h-6);e.strokeStyle=this.#w(n?"computing":"faint"),e.fillStyle=e.strokeStyle,e.lineWidth=n?4:2.5,e.lineCap="round",e.beginPath(),e.moveTo(i,s),e.lineTo(i+a*Math.cos(o.angle),s+a*Math.sin(o.angle)),e.stroke(),e.beginPath(),e.arc(i,s,n?6:4,0,2*Math.PI),e.fill()}#I(e,t){if(this.#u===void 0)return;let{well:n,slots:o}=this.#u,i=Q(this.#U(n),Math.max(1,o.size),this.#h),s=Math.max(2,this.#h*2.2);e.strokeStyle=this.#w("line"),e.lineWidth=1;for(let{number:d,kind:a}of t){if(a!=="serves"||this.#l.has(d))continue;let{x:u,y:l}=i(o.of(d));e.strokeRect(u-s/2,l-s/2,s,s)}}#T(e,{threads:t,dots:n}){let o=t.filter(({kind:s,activity:d})=>s==="computes"&&d?.what==="computing").slice(0,Wn);if(o.length===0)return;let i=20;e.font=this.#C,e.textAlign="center",e.textBaseline="middle";for(let{number:s,activity:d}of o){let a=this.#l.get(s);if(a===void 0||d===void 0)continue;let{x:u,y:l}=_e(a.rectangle),h=n.find(({connection:m})=>m===d.connection),c=h&&this.#d.find(h);c!==void 0&&(e.strokeStyle=this.#w("awaiting"),e.lineWidth=1.5,e.setLineDash([4,4]),e.beginPath(),e.moveTo(c.x,c.y),e.lineTo(u,l),e.stroke(),e.setLineDash([])),e.fillStyle=this.#w("computing"),e.beginPath(),e.roundRect(u-i/2,l-i/2,i,i,4),e.fill(),h!==void 0&&(e.fillStyle=this.#w("well"),e.fillText(this.#c.letterOf(h),u,l+.5))}}};function zn(r){return Math.atan2(Math.sin(r),Math.cos(r))}var Gn=6e7,Yn=700,jn=12,Xn=.04,Jn=150,Zn=5e3,ei=500,ti=3e3,ni=250,ye=class extends j{static observedAttributes=["src","data-title","names","speed"];#t=[];#e=new le;#i=new B;#n=new $;#o=[];#s=new Map;#r=!1;#a=!1;#d;#c;#l=new de({nameOf:e=>this.#w(e),named:e=>this.#z(e)});#u;#f;#v;#m;#E;#g=[];#p;#k=!0;#h=0;#x;#y=-1/0;#S="";#O=-1/0;#R=-1/0;#M=new A;get lines(){return this.#t}set lines(e){this.#t=e,this.#r=!1,this.#a=!1,this.#n=new $,this.#n.add(ee(e)),this.#N()}get names(){return this.#o}set names(e){this.#o=e,this.#D(),this.#b()}get view(){return this.#n.at(this.#e.us,this.#I)}get scene(){return this.#n}get us(){return this.#e.us}get isPlaying(){return this.#e.isPlaying}get followed(){return this.#l.connection}startLive(e=!1){this.#r=!0,this.#a=!0,this.#n=new $({keepUs:Gn}),this.#i=new B,this.#e.goLive(),this.#N(e)}appendLines(e){this.#r||this.startLive(),this.#n.add(e),this.#i.hear(this.#n.toUs,performance.now()),this.#b()}stopLive(){this.#a&&(this.#a=!1,this.#e.isLive=!1,this.#b())}play(){this.#e.play(),this.#b()}pause(){this.#e.pause(),this.#b()}seek(e){this.#P(),this.#e.seek(e),this.#b()}step(e){this.#e.pause();let{us:t}=this.#e,n=this.#n.happenings(),o=e>0?n.find(i=>i.us>t+.5):n.findLast(i=>i.us<t-.5);o!==void 0&&this.seek(o.us)}follow(e){this.#L({connection:e})}#L(e){this.#l.follow(e),this.#C(),this.#T()}#C(){let e=this.#c?.follow,{connection:t}=this.#l,n=t===void 0?"":String(t);e!==void 0&&e.value!==n&&(e.value=n)}#A(e){let{dots:t}=this.view;if(t.length===0)return;let n=t.findIndex(i=>this.#l.is(i)),o=n<0&&e<0?t.length-1:(n+e+t.length)%t.length;this.#L(t[o])}connectedCallback(){this.#d===void 0&&this.#Q();let e=new IntersectionObserver(([i])=>{this.#k=i?.isIntersecting??!0,this.#b()});e.observe(this);let t=new ResizeObserver(()=>this.#T());t.observe(this.#d?.root);let n=new MutationObserver(()=>this.#T());n.observe(document.documentElement,{attributes:!0,attributeFilter:["class","style"]}),this.#g=[e,t,n],this.#p=new AbortController;let{signal:o}=this.#p;for(let i of["(prefers-color-scheme: dark)","(prefers-reduced-motion: reduce)"])matchMedia(i).addEventListener("change",()=>this.#T(),{signal:o});this.#b()}disconnectedCallback(){for(let e of this.#g)e.disconnect();this.#g=[],this.#p?.abort(),this.#M.stop(),cancelAnimationFrame(this.#h),this.#h=0}attributeChangedCallback(e,t,n){e==="src"&&n!==null&&this.#V(n),e==="names"&&(this.names=J(n)),e==="speed"&&n!==null&&Number(n)>0&&this.#e.setSpeed(Number(n)),e==="data-title"&&this.#F()}async#V(e){await this.#M.load(e,t=>{this.lines=t,this.hasAttribute("autoplay")&&!xe()&&this.play()},t=>this.#$(t))}#$(e){this.#v!==void 0&&v(this.#v,e)}#N(e=!1){if(this.#D(),this.#F(),this.#P(),!this.#a){this.#e.pause(),this.#e.seek(this.#e.range.fromUs);let t=Number(this.getAttribute("speed"));this.#e.setSpeed(t>0?t:this.#U())}e?this.#l.renew():this.follow(void 0),this.#T()}#U(){let{fromUs:e,toUs:t}=this.#e.range,n=(t-e)/1e6/jn;return q.find(o=>o>=n)??10}#P(){let e=this.#n;if(this.#r){this.#e.range={fromUs:e.fromUs,toUs:e.toUs};return}let t=e.happenings(),[n,o]=[t[0],t.at(-1)];if(n===void 0||o===void 0){this.#e.range={fromUs:e.fromUs,toUs:e.toUs};return}let i=Math.max(1e3,(o.us-n.us)*Xn);this.#e.range={fromUs:Math.max(0,n.us-i),toUs:o.us+i}}#D(){if(this.#s=new Map,this.#o.length===0)return;let e=this.#n.dots.filter(({connection:t})=>t!==void 0);for(let[t,{connection:n}]of e.slice(0,this.#o.length).entries())this.#s.set(n,this.#o[t])}#w(e){return this.#s.get(e)??\`#\${e}\`}#H({connection:e}){if(e===void 0)return"";let t=this.#s.get(e);return t!==void 0?t.slice(0,1).toUpperCase():e<1e3?String(e):""}get#I(){return Yn*1e3*this.#e.speed}#T(){this.#d?.refresh(),this.#y=-1/0,this.#b()}#b(){this.#h!==0||this.#d===void 0||!this.isConnected||(this.#h=requestAnimationFrame(e=>this.#W(e)))}#W(e){this.#h=0;let t=this.#d;if(t===void 0)return;let n=xe(),o=Math.min(100,e-(this.#x??e));if(n&&this.#e.isPlaying&&e-(this.#x??-1/0)<ni){this.#b();return}this.#x=e,this.#P();let i=this.#e.us,s=this.#a?this.#i.at(performance.now()):void 0;this.#e.advance(e,s);let{us:d}=this.#e,{view:a}=this;t.lingerUs=this.#I;let u=t.isLarge&&Math.abs(d-i)>1e6,{isPlaying:l}=this.#e,h=t.show(a,{passedMs:o,jumps:n||u,isPlaying:l});(e-this.#y>=Jn||!l)&&(this.#y=e,this.#K(a)),(l&&this.#k||h)&&this.#b()}#Q(){let e=this.attachShadow({mode:"open"});P(e,O,ne,nt,it,ot);let t=new ge({nameOf:i=>this.#w(i),letterOf:i=>this.#H(i),followed:()=>this.#l.isSomebody?i=>this.#l.is(i):void 0});this.#d=t,t.canvas.addEventListener("click",i=>{let{x:s,y:d}=t.canvas.getBoundingClientRect(),a=t.hit({x:i.clientX-s,y:i.clientY-d});this.#L(a??{})}),this.#u=f("h2"),this.#f=f("p",{class:"sub"}),this.#v=f("p",{class:"now"}),this.#m=f("p",{class:"unseen",attributes:{"aria-live":"polite"}});let n=at();this.#c=n,this.#q(n);let o=new se(i=>this.#w(i),{onOpen:()=>this.#T(),onFollow:i=>this.#L(i)});this.#E=o,e.append(f("div",{class:"frame",attributes:{role:"group","aria-label":"A server and its connections"},children:[f("div",{class:"head",children:[this.#u,this.#f]}),t.root,n.root,this.#v,this.#l.root,dt(),o.root,this.#m]})),this.#F()}#q(e){let{play:t,live:n,slower:o,faster:i,back:s,step:d,time:a,follow:u}=e;t.addEventListener("click",()=>this.#e.isPlaying?this.pause():this.play()),n.addEventListener("click",()=>{this.#e.goLive(),this.#b()}),o.addEventListener("click",()=>this.#_(-1)),i.addEventListener("click",()=>this.#_(1)),s.addEventListener("click",()=>this.step(-1)),d.addEventListener("click",()=>this.step(1)),a.addEventListener("input",()=>{let{fromUs:l,toUs:h}=this.#e.range;this.#e.pause(),this.seek(l+Number(a.value)/Number(a.max)*(h-l))}),u.addEventListener("input",()=>{let l=Number(u.value);this.follow(u.value!==""&&Number.isInteger(l)?l:void 0)}),this.shadowRoot?.addEventListener("keydown",l=>this.#B(l))}#B(e){if(e.ctrlKey||e.metaKey||e.altKey)return;let{target:t}=e,n=t instanceof HTMLInputElement||t instanceof HTMLSelectElement,o=t instanceof HTMLButtonElement,{key:i}=e;if(i==="Escape")this.follow(void 0);else{if(n)return;if(i==="+")this.#_(1);else if(i==="-")this.#_(-1);else if(i===".")this.step(1);else if(i===",")this.step(-1);else if(i==="n")this.#A(1);else if(i==="p")this.#A(-1);else if(i==="k"||i===" "&&!o&&t===this.#c?.root)this.#e.isPlaying?this.pause():this.play();else return}e.preventDefault()}#_(e){this.#e.changeSpeed(e),this.#T()}#F(){if(this.#u===void 0||this.#f===void 0)return;let{header:e}=this.#n;v(this.#u,this.getAttribute("data-title")??e?.by??""),v(this.#f,e===void 0?"":\`\${e.by} · \${e.runtime}\`),this.#u.parentElement?.toggleAttribute("hidden",e===void 0&&this.#u.textContent==="")}#K(e){this.#G(e),this.#Y(e),this.#l.show(e,this.#n,this.#e.range.fromUs),this.#C(),this.#E?.show(e),this.#X(e)}#G({us:e}){let t=this.#c;if(t===void 0)return;let{isPlaying:n,isLive:o,speed:i,range:s}=this.#e;v(t.play,n?"Pause":this.#e.isAtEnd&&!this.#a?"Again":"Play"),t.live.hidden=!this.#a,v(t.live,o?"Live":"Go live"),t.live.setAttribute("aria-pressed",String(o)),v(t.speed,i>=1?\`\${i}×\`:\`1/\${Math.round(1/i)}×\`),t.slower.disabled=i<=q[0],t.faster.disabled=i>=q.at(-1);let d=Math.max(1,s.toUs-s.fromUs),{max:a}=t.time,u=String(Math.round((e-s.fromUs)/d*Number(a)));t.time.value!==u&&(t.time.value=u);let l=this.#a?o?"now":\`\${x(Math.max(0,s.toUs-e))} ago\`:\`\${x(Math.max(0,e-s.fromUs))} of \${x(d)}\`;v(t.moment,l),t.time.setAttribute("aria-valuetext",l)}#Y({us:e,note:t,leftOut:n,isPartial:o}){if(this.#a&&this.#e.isPlaying){if(!o)return this.#$(t??"");let s=n.get("connections")??0;return this.#$(\`Too many connections to draw each of them: \${k(s)} were left out so far.\`)}let i=this.#n.dots.length>ti?void 0:this.#j(e);this.#$(i===void 0?t??"":this.#z(i))}#j(e){return this.#n.happenings().findLast(t=>t.us<=e+.5)}#z({text:e}){let t=e.replaceAll(/#(\\d+)/g,(n,o)=>this.#w(Number(o)));return t.slice(0,1).toUpperCase()+t.slice(1)}#X({dots:e,totals:t}){if(this.#m===void 0)return;let n=l=>e.filter(h=>h.place===l).length,o=n("thread"),i=n("accept queue")+n("hand-over queue"),s=Object.values(t.outcomes).reduce((l,h)=>l+h,0),d=\`\${o} served, \${i} waiting, \${s} over\`,a=performance.now();d!==this.#S&&(this.#S=d,this.#O=a),!(!(!this.#e.isPlaying||a-this.#O>=ei)&&a-this.#R<Zn)&&(this.#R=a,v(this.#m,d))}};X("model-figure",ye);var ii=ze,oi={accepted:"accepted and begun",queued:"accepted and queued"},ri=250,z=E("figure"),At=[new C({title:"Connections a second",series:[{name:"",of:({rate:r})=>r}],format:Be,least:10}),new C({title:"Life of a connection",note:"From accept() to the end of its conversation. How long it waited to be accepted comes before that.",series:[{name:"p50",of:({p50_us:r})=>r},{name:"p99",of:({p99_us:r})=>r}],format:x,least:1e3}),new C({title:"CPU",series:[{name:"",of:({cpu:r})=>r}],format:r=>\`\${Qe(r)} of a core\`,least:1}),new C({title:"Memory",series:[{name:"",of:({memory_bytes:r})=>r}],format:We,least:2**20,unit:2**20})],Pt,be=!1;P(document,O);E("charts").append(...At.map(({root:r})=>r));setInterval(fi,ri);new te({begins:di,lines:li,state:ui});function E(r){return document.getElementById(r)}async function si(){let r;try{r=await(await fetch("about")).json()}catch{return}let{mode:e,protocol:t,address:n,runtime:o,version:i,details:s=[],actions:d=[]}=r;v(E("name"),String(e??"Handshake")),document.title=\`\${String(e??"Handshake")}, live\`;let a=[t,n,...s,o,i&&\`version \${i}\`];v(E("about"),a.filter(u=>u!==void 0).map(String).join(" · ")),E("actions").hidden=d.length===0,E("buttons").replaceChildren(...d.map(u=>{let[l,h]=ii[u]??[String(u),""],c=f("button",{text:l,attributes:{type:"button",title:h}});return c.addEventListener("click",()=>{ai(String(u),c)}),c}))}async function ai(r,e){e.disabled=!0;try{let t=await fetch("do",{method:"POST",body:new URLSearchParams({action:r})}),n=(await t.text()).trim();v(E("answer"),n===""?\`The answer is \${t.status}.\`:n)}catch{v(E("answer"),"The server does not answer.")}finally{e.disabled=!be,e.focus()}}function di(){si()}function li(r){for(let e of r)e.type==="recording"&&(z.startLive(e.began_us===Pt),Pt=e.began_us);z.appendLines(r)}function ui({kind:r,text:e,page:t}){let n=E("state");n.dataset.state=r,v(n,e),be=r==="live"||r==="silent",be||z.stopLive();for(let i of E("buttons").querySelectorAll("button"))i.disabled=!be;if(t===void 0||!ci(t))return;let o=f("a",{text:"Its page",attributes:{href:t}});n.append(" ",o)}function ci(r){return URL.canParse(r)&&new URL(r).protocol==="http:"}function hi(r){return r.replaceAll("_"," ").replace(/[A-Z]/g,e=>\` \${e.toLowerCase()}\`)}function fi(){if(document.hidden)return;let{us:r,scene:e}=z,{figures:t}=e;for(let a of At)a.show(t,r);let{value:n={},at:o=r}=e.countersAt(r)??{},i=z.isPlaying?"":\`\${x(Math.max(0,r-o))} before the moment above\`;v(E("counted-age"),i);let s=E("counters"),d=Object.keys(n);s.dataset.names!==d.join()&&(s.dataset.names=d.join(),s.replaceChildren(...d.map(a=>f("div",{children:[f("dt",{text:oi[a]??hi(a)}),f("dd")]}))));for(let[a,u]of[...s.querySelectorAll("dd")].entries())v(u,k(n[d[a]]??0))}})();
;
    </script>
  </body>
</html>
`;
