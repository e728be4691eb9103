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
        <dl id="counters"></dl>
      </section>
    </main>
    <script nonce="{{nonce}}">
    "use strict";(()=>{var Tt=[["µs",1],["ms",1e3],["s",1e6]],Fe=[["",1],["k",1e3],["M",1e6],["G",1e9]],Et=[["B",1],["KiB",2**10],["MiB",2**20],["GiB",2**30],["TiB",2**40]],Ve="–",be=3;function x(r){return G(r,Tt)}var _e=[["min",60],["h",3600]];function qe(r){if(we(r))return Ve;if(r>0&&r<1){let[t,n]=_e.find(([,s])=>r*s>=1)??_e[1],i=r*n,o=Math.round(i);return\`\${Math.abs(i-o)<.001&&o>0?o:Ke(i)} /\${t}\`}let e=G(r,Fe);return e.includes(" ")?\`\${e}/s\`:\`\${e} /s\`}function z(r){return G(r,Fe)}function k(r){return r.toLocaleString("en")}function Be(r){return G(we(r)?r:Math.round(r),Et)}function We(r){return r===0||r===1?\`\${r*100} %\`:r<1e-4?"under 0.01 %":r<.1?\`\${(r*100).toFixed(2)} %\`:r>.99&&r<1?\`\${(Math.floor(r*1e4)/100).toFixed(2)} %\`:\`\${Math.round(r*100)} %\`}function we(r){return r===null||Number.isNaN(r)}function G(r,e){if(we(r))return Ve;for(let[t,[n,i]]of e.entries()){let o=i===1&&Number.isInteger(r)?String(r):Ke(r/i),[,s]=e[t+1]??[];if(!(s!==void 0&&Number(o)*i>=s))return n===""?o:\`\${o} \${n}\`}return String(r)}function Ke(r){let e=r<1?1:Math.floor(Math.log10(r))+1,t=r.toFixed(Math.max(0,be-e));return Number(t)>=10**e&&e<be?r.toFixed(be-e-1):t}var M=[{look:"accept",shape:"ring",words:"waits in the accept queue"},{look:"queue",shape:"ring",words:"waits for a thread"},{look:"reading",shape:"ring",words:"its peer is to send"},{look:"computing",shape:"disc",words:"computing"},{look:"writing",shape:"disc",words:"its peer is to take what was sent"},{look:"awaiting",shape:"ring",words:"another thread computes for it"},{look:"held",shape:"ring",words:"its loop computes for another"},{look:"fin",shape:"ring",words:"ended with FIN"},{look:"rst",shape:"cross",words:"ended with RST"},{look:"ended",shape:"ring",words:"ended, not known how"}],ze=new Map(M.map(({look:r,shape:e})=>[r,e]));function D({place:r,doing:e,ending:t}){switch(r){case"accept queue":return"accept";case"hand-over queue":case"taken":return"queue";case"thread":return Mt[e];case"closing":return"ended";case"ended":return t==="FIN"?"fin":t==="RST"?"rst":"ended"}}var Mt={waiting:"queue",reading:"reading",computing:"computing",writing:"writing","waiting for computing":"awaiting","waiting for the loop":"held"},St={ground:["#ffffff","#171b22"],box:["#f5f7fa","#1f252e"],well:["#ffffff","#161b22"],line:["#d9dfe8","#353e4b"],text:["#1a2230","#e8ecf2"],faint:["#566174","#a3afc0"],accent:["#2458c5","#8db4ff"],accept:["#c74e00","#ff9257"],queue:["#a06a00","#f2bd4b"],reading:["#66758c","#93a3b8"],computing:["#00795a","#35d6a6"],writing:["#0067a5","#62bcff"],awaiting:["#9a3f84","#e59acd"],held:["#c74e00","#ff9257"],fin:["#66758c","#93a3b8"],rst:["#b8123a","#ff8095"],ended:["#66758c","#93a3b8"]},I=\`:host, :root {
\${Object.entries(St).map(([r,[e,t]])=>\`  --figure-\${r}: light-dark(\${e}, \${t});\`).join(\`
\`)}
}
\${M.map(({look:r})=>\`.of-\${r} { color: var(--figure-\${r}); }\`).join(\`
\`)}
\`;var Y=globalThis.HTMLElement??class{};function h(r,e={}){let t=document.createElement(r);e.class!==void 0&&(t.className=e.class),e.text!==void 0&&(t.textContent=e.text);for(let[n,i]of Object.entries(e.attributes??{}))t.setAttribute(n,i);return t.append(...e.children??[]),t}function y(r,e){r.textContent!==e&&(r.textContent=e)}var Ge=new Map;function P(r,...e){r.adoptedStyleSheets=e.map(t=>{let n=Ge.get(t);if(n!==void 0)return n;let i=new CSSStyleSheet;return i.replaceSync(t),Ge.set(t,i),i})}function Q(r,e){globalThis.customElements===void 0||customElements.get(r)!==void 0||customElements.define(r,e)}function j(r){return(r??"").split("|").map(e=>e.trim()).filter(e=>e!=="")}function ve(){return matchMedia("(prefers-reduced-motion: reduce)").matches}var Ye=6e7,Lt=[[],[5,3]],xe=72,C=class{root;#t;#e;#i;#n;constructor(e){this.#t=e,this.#e=h("p",{class:"value",text:"–"}),this.#i=h("span",{class:"top"}),this.#n=h("canvas",{attributes:{"aria-hidden":"true"}}),this.root=h("figure",{class:"chart",children:[h("figcaption",{children:[h("h3",{text:e.title}),this.#e]}),h("div",{class:"plot",children:[this.#n,this.#i]})]})}show(e,t){let{series:n,format:i,least:o,unit:s=1}=this.#t,a=e.filter(({at:u})=>u>t-Ye&&u<=t),d=a.at(-1),c=n.flatMap(({name:u,of:m})=>{let p=d&&m(d);return p===void 0?[]:[u===""?i(p):\`\${u} \${i(p)}\`]});y(this.#e,c.length===0?"not known":c.join(" · "));let l=a.flatMap(u=>n.map(({of:m})=>m(u)??0)),f=Ut(Math.max(o,...l)/s)*s;y(this.#i,i(f)),this.#o(a,t,f)}#o(e,t,n){let{width:i}=this.#n.getBoundingClientRect(),o=Math.min(2,devicePixelRatio),[s,a]=[Math.round(i*o),Math.round(xe*o)];(this.#n.width!==s||this.#n.height!==a)&&(this.#n.width=s,this.#n.height=a);let d=this.#n.getContext("2d");if(d===null)return;let c=getComputedStyle(this.#n);d.setTransform(o,0,0,o,0,0),d.clearRect(0,0,i,xe);let l=u=>(1-(t-u)/Ye)*i,f=u=>1+(1-u/n)*(xe-2);d.strokeStyle=c.borderBottomColor,d.lineWidth=1;for(let u of[0,1])d.beginPath(),d.moveTo(0,f(u*n)),d.lineTo(i,f(u*n)),d.stroke();d.strokeStyle=c.color,d.lineWidth=1.75,d.lineJoin="round";for(let[u,{of:m}]of this.#t.series.entries()){d.setLineDash([...Lt[u]??[]]),d.beginPath();let p=!1;for(let g of e){let w=m(g);if(w===void 0){p=!1;continue}p?d.lineTo(l(g.at),f(w)):d.moveTo(l(g.at),f(w)),p=!0}d.stroke()}d.setLineDash([])}};function Ut(r){let e=10**Math.floor(Math.log10(r));return([1,2,5,10].find(t=>t*e>=r)??10)*e}var $t={recording:["version","began_us"],thread:["at","thread"],begun:["at","connection"],queued:["at","to","connection"],served:["at","thread","connection"],over:["at","connection"],span:["at","to"]};function X(r){let e=[],t=0;for(let n of r.split(\`
\`)){if(n.trim()==="")continue;let i=It(n);i===void 0?t++:e.push(i)}return{lines:e,damaged:t}}function It(r){let e;try{e=JSON.parse(r)}catch{return}if(typeof e!="object"||e===null)return;let t=e;if(!(typeof t.type!="string"||!($t[t.type]??["at"]).every(i=>Number.isFinite(t[i])))&&!(t.type==="recording"&&t.version!==1))return e}function J(r){let e=t=>t.type==="recording"?-1:t.at;return r.toSorted((t,n)=>e(t)-e(n))}var A=class{#t;async load(e,t,n){this.stop();let{signal:i}=this.#t=new AbortController;try{let o=await fetch(e,{signal:i});if(!o.ok)throw new Error(\`the answer is \${o.status}\`);let{lines:s}=X(await o.text());if(s.length===0)throw new Error("it is not a recording");t(s)}catch(o){if(i.aborted)return;n(\`Cannot show \${e}: \${o instanceof Error?o.message:String(o)}\`)}}stop(){this.#t?.abort()}};var Ct=1e3,Rt=3e4,Nt=300,Dt=5e3,Pt=1e3,Z=class{#t;#e;#i;#n;#o=0;#s=0;constructor(e){this.#t=e,this.#a(),setInterval(()=>this.#c(),Pt),document.addEventListener("visibilitychange",()=>{document.hidden||this.#i===void 0||(this.#o=0,this.#a())})}#r(e,t,n){this.#n=e,this.#t.state({kind:e,text:t,...n!==void 0&&{page:n}})}#a(){clearTimeout(this.#i),this.#i=void 0;let e=this.#e=new EventSource("events");e.addEventListener("message",({data:t})=>this.#d(String(t))),e.addEventListener("error",()=>{e.close(),e===this.#e&&this.#l()})}#d(e){let{lines:t}=X(e);this.#s=performance.now(),this.#o=0,t.some(({type:i})=>i==="recording")&&this.#t.begins(),this.#n!=="live"&&this.#r("live","live"),this.#t.lines(t);let n=t.find(i=>i.type==="end");n!==void 0&&this.#h(n)}#h({successor:e,page:t}){if(this.#e?.close(),this.#e=void 0,e===void 0)return this.#r("ended","The server has ended. This is its last picture.");let n=\`Process \${e} serves now\`;if(t===void 0)return this.#r("ended",\`\${n}, and has no page. This is the last picture.\`);if(!(URL.canParse(t)&&new URL(t).pathname===location.pathname))return this.#r("ended",\`\${n}. This is the last picture.\`,t);this.#r("lost",\`\${n}: connecting to it …\`),this.#i=setTimeout(()=>this.#a(),Nt)}async#l(){this.#e=void 0,this.#n!=="lost"&&this.#r("lost","The server does not answer …");let e=0;try{({status:e}=await fetch("events",{method:"HEAD"}))}catch{}if(e===404||e===421)return this.#r("ended","Another server is here now. It has printed the address of its own page. This is the last picture of the one before.");let t=Math.min(Rt,Ct*2**this.#o++),n=z(Math.round(t/1e3)),i=e===0?"The server does not answer. This is its last picture":e===503?"Too many read along, and the server tells nobody else":"The link to the server has broken. This is its last picture";this.#r("lost",\`\${i}; trying again in \${n} s.\`),this.#i=setTimeout(()=>this.#a(),t)}#c(){this.#e===void 0||this.#n!=="live"||performance.now()-this.#s<Dt||this.#r("silent","The server says nothing. Perhaps its process is stopped.")}};var ke={computing:"the server computes for it",accept:"waits to be accepted",queue:"waits in the server's queue, or for its thread to start",thread:"waits for a thread that is busy with another client",talk:"talks"};function Te(r){let e=new Map,t=new Map,n=r.at(-1)?.at??0;for(let i of r)if(i.type==="socket"&&i.waiting===!0)e.has(i.remote)||e.set(i.remote,i.at);else if(i.type==="begun"){let{connection:o,peer:s,at:a}=i;t.set(o,{peer:s,fromUs:e.get(s)??a,toUs:n}),e.delete(s)}else if(i.type==="over"){let o=t.get(i.connection);o!==void 0&&(o.toUs=i.at)}return[...t.values()].sort((i,o)=>i.fromUs-o.fromUs)}var At=["computing","queue","accept","thread"],Ht=["queue","accept","thread"],_t=1e3;function Ee(r,e){let t=e.map(n=>Ft(r,n));return e.map((n,i)=>{let o=t[i],a=t.filter(p=>p!==o).filter(({thread:p})=>p===o.thread),d={accept:[[n.fromUs,o.begunUs]],queue:[[o.begunUs,o.servedUs]],thread:[...a.flatMap(({busy:p})=>p),...o.awaiting.map(({until:p})=>p)],computing:o.computing.map(({during:p})=>p),talk:[]},c=Vt(n,d),l=c.filter(({doing:p})=>Ht.includes(p)),f=t.map(p=>{if(p===o)return 0;let g=a.includes(p)?p.holds:[],w=o.awaiting.flatMap(({until:T,thread:U})=>Qe(T,p.computing.filter(O=>U===void 0||O.thread===U).map(({during:O})=>O))),b=[...g,...w];return qt(l.flatMap(({fromUs:T,toUs:U})=>Qe([T,U],b)))}),u=Math.max(...f),m=u>=_t;return{stretches:c,waitedUs:m?u:0,waitedFor:m?f.indexOf(u):void 0}})}function Ft(r,e){let t=r.find(g=>g.type==="begun"&&g.peer===e.peer),n=t?.type==="begun"?t.connection:void 0,i=r.filter(g=>"connection"in g&&g.connection===n),o=i.find(g=>g.type==="served"),s=i.find(g=>g.type==="over"),a=o?.type==="served"?o.thread:void 0,d=i.filter(g=>g.type==="span"),c=g=>d.filter(w=>w.name===g).map(({at:w,to:b})=>[w,b]),l=r.some(g=>g.type==="thread"&&g.thread===a&&g.loop===!0),f=t?.at??e.toUs,u=o?.at??f,m=l?c("turn"):[],p=d.filter(({name:g})=>g==="computing").map(({at:g,to:w,thread:b})=>({during:[g,w],thread:b}));return{begunUs:f,servedUs:u,thread:a,computing:p,awaiting:c("waiting for computing").map(([g,w])=>{let b=p.find(({during:[U,O]})=>U<w&&g<O),T=Math.max(g,b?.during[0]??w);return{until:[g,T],thread:b?.thread}}),busy:m,holds:l?m:[[u,s?.at??e.toUs]]}}function Vt({fromUs:r,toUs:e},t){let n=Object.values(t).flat(2).filter(s=>s>r&&s<e),i=[...new Set([r,...n,e])].sort((s,a)=>s-a),o=[];for(let s=1;s<i.length;s++){let[a,d]=[i[s-1],i[s]],c=(a+d)/2,l=At.find(u=>t[u].some(([m,p])=>m<=c&&c<p))??"talk",f=o.at(-1);f?.doing===l?o[o.length-1]={...f,toUs:d}:o.push({doing:l,fromUs:a,toUs:d})}return o}function Qe([r,e],t){return t.map(([n,i])=>[Math.max(n,r),Math.min(i,e)]).filter(([n,i])=>n<i)}function qt(r){let[e,t]=[0,-1/0];for(let[n,i]of r.toSorted(([o],[s])=>o-s))e+=Math.max(0,i-Math.max(n,t)),t=Math.max(t,i);return e}var ee=\`
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
.scroll { overflow: auto; max-height: 22rem; }
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
.unseen {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
\`,je=\`
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
\`,Xe=\`
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
\`,Je=\`
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
.followed ol { margin: 0.3rem 0 0; padding: 0; list-style: none; max-height: 14rem; overflow: auto; }
.followed li { display: flex; gap: 0.75rem; padding: 0.1rem 0; color: var(--figure-faint); }
.followed li.past { color: inherit; }
.followed time { flex: none; min-width: 6.5em; text-align: right; font-variant-numeric: tabular-nums; }
@media (max-width: 480px) {
  .frame { padding: 0.75rem; border-radius: 12px; }
  .time { flex-basis: 100%; }
  .time output { min-width: 0; }
}
\`;var te=class extends Y{static observedAttributes=["src","data-title","names"];#t=[];#e=[];#i;#n;#o=new A;get lines(){return this.#t}set lines(e){this.#t=e,this.draw()}get names(){return this.#e}set names(e){this.#e=e,this.draw()}connectedCallback(){this.#n===void 0&&this.#s(),this.draw()}disconnectedCallback(){this.#o.stop()}attributeChangedCallback(e,t,n){e==="src"&&n!==null&&this.#o.load(n,i=>this.lines=i,i=>this.#n?.replaceChildren(h("p",{class:"note",text:i}))),e==="names"&&(this.names=j(n)),e==="data-title"&&this.draw()}draw(){if(this.#n===void 0||this.#i===void 0)return;let e=this.getAttribute("data-title")??"";y(this.#i,e),this.#i.parentElement.hidden=e==="",this.drawIn(this.#n)}#s(){let{style:e,label:t,bodyClass:n,legend:i}=this.frame,o=this.attachShadow({mode:"open"});P(o,I,ee,e),this.#i=h("h2"),this.#n=h("div",n===void 0?{}:{class:n});let s=h("div",{class:"head",children:[this.#i]});o.append(h("div",{class:"frame",attributes:{role:"group","aria-label":t},children:[s,this.#n,...i===void 0?[]:[i()]]}))}};var Bt=24,Wt=5,Ze={accept:"accept",queue:"queue",thread:"held",computing:"computing",talk:"reading"},Kt=\`
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
\`,ne=class extends te{frame={style:Kt,label:"Who waited for whom",bodyClass:"rows-and-scale",legend:jt};#t;get visits(){return this.#t}set visits(e){this.#t=e,this.draw()}drawIn(e){let t=J(this.lines).filter(m=>m.type!=="recording"),n=this.#t??Te(t);if(n.length===0){this.lines.length>0&&e.replaceChildren(h("p",{class:"note",text:"No client has come."}));return}let i=n.slice(0,Bt),o=Ee(t,i),s=Math.min(...i.map(({fromUs:m})=>m)),a=Math.max(s+1,...i.map(({toUs:m})=>m)),d=m=>this.names[m]??\`client \${m+1}\`,c=t.find(({type:m})=>m==="closing")?.at??1/0,l=c<a?c:void 0,f=i.map((m,p)=>zt(m,o[p],{name:d,index:p,fromUs:s,lengthUs:a-s,toldUs:l})),u=[h("ul",{class:"rows",children:f}),Yt(a-s)];if(l!==void 0){let m=\`The upright line is when the server was told to close, after \${x(l-s)}.\`;u.push(h("p",{class:"note",text:m}))}if(n.length>i.length){let m=\`\${n.length-i.length} more clients are not drawn.\`;u.push(h("p",{class:"note",text:m}))}e.replaceChildren(...u)}};function zt({fromUs:r,toUs:e},t,n){let i=h("span",{class:"told"});i.hidden=n.toldUs===void 0,i.style.left=\`\${((n.toldUs??0)-n.fromUs)/n.lengthUs*100}%\`;let o=h("div",{class:"bar",attributes:{"aria-hidden":"true"},children:[...t.stretches.map(s=>{let a=h("span",{class:et(s.doing)});return a.style.left=\`\${(s.fromUs-n.fromUs)/n.lengthUs*100}%\`,a.style.width=\`\${(s.toUs-s.fromUs)/n.lengthUs*100}%\`,a.title=\`\${ke[s.doing]}: \${x(s.toUs-s.fromUs)}\`,a}),i]});return h("li",{class:"client",children:[h("span",{class:"name",text:n.name(n.index)}),o,h("span",{class:"length",text:x(e-r)}),h("span",{class:"waited",text:Gt(t,n.name)})]})}function Gt({stretches:r,waitedFor:e,waitedUs:t},n){let i=r.reduce((a,{doing:d,fromUs:c,toUs:l})=>a+(d==="computing"?l-c:0),0),o=i>=1?\`the server computed \${x(i)} for it\`:"";return[e===void 0?"waited for nobody":\`waited \${x(t)} for \${n(e)}\`,o].filter(a=>a!=="").join("; ")}function et(r){return\`part \${r==="computing"?"busy":r==="talk"?"talk":"wait"} of-\${Ze[r]}\`}function Yt(r){let e=r/Wt,t=10**Math.floor(Math.log10(e)),n=[1,2,5,10].map(o=>o*t).find(o=>o>=e)??e,i=[];for(let o=0;o<=r;o+=n){let s=h("span",{text:o===0?"0":Qt(o)});s.style.left=\`\${o/r*100}%\`,i.push(s)}return h("div",{class:"scale",attributes:{"aria-hidden":"true"},children:i})}function Qt(r){return x(r).replace(/\\.0+(?= )/,"").replace(/(\\.\\d*?)0+(?= )/,"$1")}function jt(){return h("ul",{class:"legend",attributes:{"aria-label":"What the bars mean"},children:Object.keys(Ze).map(r=>h("li",{children:[h("span",{class:"swatch",attributes:{"aria-hidden":"true"},children:[Xt(r)]}),h("span",{class:"words",text:ke[r]})]}))})}function Xt(r){let e=h("span",{class:et(r)});return e.style.left="0",e.style.width="100%",e}Q("client-timeline",ne);function tt(){let r=(u,m,p="")=>h("button",{class:p,text:u,attributes:{type:"button",...m!==void 0&&{"aria-label":m,title:m}}}),e=r("Play",void 0,"main"),t=r("Go live"),n=r("−","Slower (-)","small"),i=r("+","Faster (+)","small"),o=h("output",{attributes:{"aria-label":"Speed"}}),s=r("◂ Step","Step back to what happened before (,)"),a=r("Step ▸","Step on to what happens next (.)"),d=h("input",{attributes:{type:"range",min:"0",max:"1000",step:"1","aria-label":"Moment"}}),c=h("output"),l=h("input",{attributes:{type:"number",min:"1",step:"1",inputmode:"numeric",placeholder:"nobody"}});return{root:h("div",{class:"controls",attributes:{role:"group","aria-label":"Playing"},children:[e,t,s,a,h("span",{class:"speed",children:[n,o,i]}),h("span",{class:"time",children:[d,c]}),h("label",{children:[h("span",{text:"Follow #"}),l]})]}),play:e,live:t,slower:n,faster:i,speed:o,back:s,step:a,time:d,moment:c,follow:l}}function nt(){return h("ul",{class:"legend",attributes:{"aria-label":"What the dots mean"},children:M.filter(({look:r})=>r!=="ended").map(({look:r,shape:e,words:t})=>h("li",{children:[h("span",{class:\`sign \${e} of-\${r}\`,attributes:{"aria-hidden":"true"}}),h("span",{class:"words",text:t})]}))})}var it=100;function Me({place:r,thread:e},{threads:t}){return r!=="thread"?r:t.find(({number:n})=>n===e)?.name??"a thread"}function Se(r,e){let t=M.find(({look:s})=>s===D(r))?.words??r.doing,{task:n,waitsFor:i}=r,o=r.doing==="computing"&&n!==void 0?\` \${n}\`:"";return\`\${t}\${o}\${i===void 0?"":\`, for \${e(i)}\`}\`}var ie=class{root;#t;#e=new oe;#i;#n=h("p");constructor(e,{onOpen:t,onFollow:n}){this.#t=e,this.#i=new oe(s=>{let a=this.#o.find(d=>d.id===s);a!==void 0&&n(a)});let i=["Where","Connections","What happens there"],o=["Connection","From","Where","What it does","Since"];this.root=h("details",{children:[h("summary",{text:"The same as a table"}),h("div",{class:"scroll",attributes:{tabindex:"0",role:"group","aria-label":"The picture as a table"},children:[ot("Where connections are",i,this.#e.body),ot("Connections",o,this.#i.body),this.#n]})]}),this.root.addEventListener("toggle",t)}show(e){if(!this.root.open)return;let t=this.#s(e).slice(0,it);this.#e.fill(new Map(t.map(s=>[s[0],s])));let{dots:n,us:i}=e;this.#o=n.slice(0,it),this.#i.fill(new Map(this.#o.map(s=>[s.id,[s.connection===void 0?"not accepted yet":this.#t(s.connection),s.peer,Me(s,e),Se(s,this.#t),x(Math.max(0,i-s.sinceUs))]])));let o=n.length-this.#o.length;y(this.#n,o>0?\`and \${o} more\`:"")}#o=[];#s(e){let{dots:t,threads:n,listeners:i,hasHandOver:o,queued:s,totals:a}=e,d=f=>t.filter(u=>u.place===f).length,c=i.map(({waiting:f,limit:u})=>\`\${f??"?"} of \${u??"?"}\`),l=["Hand-over queue",String(d("hand-over queue")),\`counted: \${s??"?"}\`];return[["Accept queue",c.join(", ")||"not known",\`\${d("accept queue")} seen there\`],...o?[l]:[],...n.filter(({kind:f})=>f!=="other").map(f=>[f.name,String(f.dots.length),this.#r(f,e)]),...Object.entries(a.endings).map(([f,u])=>[\`Ended: \${f}\`,String(u),"since the picture began"])]}#r({activity:e,isLoop:t,turns:n},{us:i}){if(e===void 0)return t?\`waits, after \${n} turns\`:"waits";let{what:o,task:s,connection:a,sinceUs:d}=e,c=a===void 0?"":\` for \${this.#t(a)}\`,l=x(Math.max(0,i-d));return\`\${o}\${s===void 0?"":\` \${s}\`}\${c}, \${l}\`}};function ot(r,e,t){let n=e.map(i=>h("th",{text:i,attributes:{scope:"col"}}));return h("table",{children:[h("caption",{text:r}),h("thead",{children:[h("tr",{children:n})]}),t]})}var oe=class{body=h("tbody");#t=new Map;#e;constructor(e){this.#e=e}fill(e){for(let[n,i]of this.#t)e.has(n)||(i.remove(),this.#t.delete(n));let t=this.body.firstElementChild;for(let[n,i]of e){let o=this.#t.get(n)??this.#i(n,i.length);o===t?t=t.nextElementSibling:this.body.insertBefore(o,t),i.forEach((s,a)=>{let d=o.cells[a];y(d.querySelector("button")??d,s)})}}#i(e,t){let n=h("tr",{children:Array.from({length:t},()=>h("td"))}),i=this.#e;if(i!==void 0){let s=h("button",{class:"small",attributes:{type:"button",title:"Follow it"}});s.addEventListener("click",()=>i(e)),n.cells[0]?.append(s)}return this.#t.set(e,n),n}};var Jt=200,re=class{root;#t;#e=h("p");#i=h("ol",{attributes:{tabindex:"0","aria-label":"What has happened to it"}});#n;#o;#s="";#r="";constructor(e){this.#t=e,this.root=h("div",{class:"followed",children:[this.#e,this.#i]}),this.root.hidden=!0}get connection(){return this.#n}get isSomebody(){return this.#n!==void 0||this.#o!==void 0}follow({connection:e,id:t}={}){this.#n=e,this.#o=t,this.#s="",this.#r="",this.#i.replaceChildren()}is({connection:e,id:t}){return this.#n===void 0?t===this.#o:e===this.#n}renew(){this.#o=void 0,this.#s=""}show(e,t,n){if(this.root.hidden=!this.isSomebody,!this.isSomebody)return;let i=t.find(this.#n,this.#o);if(i===void 0){let d=this.#n===void 0?"It":this.#t.nameOf(this.#n),c=this.#s===""?"is not known: it has not come yet, or is no longer remembered":"is no longer remembered: it was over long ago";return y(this.#e,\`\${d}\${this.#r} \${c}\`)}this.#n=i.connection,this.#o=i.id;let o=t.lifeOf(i).slice(-Jt);this.#r=\`, from \${i.peer},\`;let s=i.connection===void 0?"A connection that is not accepted yet":this.#t.nameOf(i.connection),a=e.dots.find(({id:d})=>d===i.id);y(this.#e,\`\${s}\${this.#r} \${this.#a(a,e,o)}\`),this.#d(i,e,n,o)}#a(e,t,n){return e!==void 0?\`\${\`\${e.place==="thread"?"is served by":"is here:"} \${Me(e,t)}\`}: \${Se(e,this.#t.nameOf)}\`:n.some(({us:o})=>o<=t.us)?"is in the picture no more":"is not there yet"}#d({id:e},t,n,i){let o=i.filter(({us:a})=>a<=t.us+.5).length,s=\`\${e} \${i.length} \${o} \${i.at(-1)?.us}\`;s!==this.#s&&(this.#s=s,this.#i.replaceChildren(...i.map((a,d)=>h("li",{class:d<o?"past":"",children:[h("time",{text:x(Math.max(0,a.us-n))}),h("span",{text:this.#t.named(a)})]}))))}};var H=[.001,.002,.005,.01,.02,.05,.1,.2,.5,1,2,5,10],se=class{us=0;speed=1;isPlaying=!1;isLive=!1;#t={fromUs:0,toUs:0};#e;get range(){return this.#t}set range(e){this.#t=e,this.isLive||(this.us=this.#i(this.us))}get isAtEnd(){return this.us>=this.#t.toUs}play(){this.isAtEnd&&!this.isLive&&(this.us=this.#t.fromUs),this.isPlaying=!0}pause(){this.isPlaying=!1,this.isLive=!1}seek(e){this.isLive=!1,this.us=this.#i(e)}goLive(){this.isLive=!0,this.isPlaying=!0,this.speed=1}changeSpeed(e){let t=e>0?H.find(n=>n>this.speed):H.findLast(n=>n<this.speed);t!==void 0&&this.setSpeed(t)}setSpeed(e){this.speed=e,e!==1&&(this.isLive=!1)}advance(e,t){let n=this.#e===void 0?0:e-this.#e;if(this.#e=e,this.isLive&&t!==void 0){this.us=t;return}if(!this.isPlaying){this.us=this.#i(this.us);return}this.us=this.#i(this.us+n*1e3*this.speed),this.isAtEnd&&t===void 0&&(this.isPlaying=!1)}#i(e){return Math.max(this.#t.fromUs,Math.min(this.#t.toUs,e))}},Zt=3e5,en=1e-4,q=class{#t=-1/0;#e=0;hear(e,t){let n=this.#t-(t-this.#e)*1e3*en;this.#t=Math.max(n,e-t*1e3),this.#e=t}at(e){return this.#t===-1/0?void 0:e*1e3+this.#t-Zt}};function Le(r,e){let t=[],{connection:n,peer:i,queued:o,accepting:s}=r,a=n===void 0?i:\`#\${n}\`,d=(l,f)=>t.push({us:l,text:f,connection:n});s!==void 0&&d(s.at,\`\${a} is in the accept queue\`),r.begunUs<1/0&&d(r.begunUs,\`\${a} is accepted\`),o!==void 0&&d(o.at,\`\${a} waits in the hand-over queue\`),r.servedUs<1/0&&d(r.servedUs,\`\${e(r.server)} begins to serve \${a}\`);for(let{at:l,to:f,task:u,thread:m}of r.computing?.all??[]){let p=u===void 0?"":\` \${u}\`;d(l,\`\${e(m)} begins to compute\${p} for \${a}\`),d(f,\`\${e(m)} has computed\${p} for \${a}\`)}for(let{at:l,to:f}of r.awaiting?.all??[])d(l,\`\${a} waits while another thread computes\`),d(f,\`\${a} has the result\`);for(let{at:l,to:f}of r.writing?.all??[])d(l,\`\${a} waits for its peer to take what was sent\`),d(f,\`the peer of \${a} has taken it\`);if(r.over!==void 0){let{outcome:l,failure:f}=r.over,u=f===void 0?"":\`, \${f}\`,m=l==="unknown"?": how was left out":\`: \${l}\${u}\`;d(r.overUs,\`\${a} is over\${m}\`)}let c=r.endUs(!0);return c<1/0&&r.endedWith!==void 0&&d(c,\`\${a} has ended with \${r.endedWith}\`),t}function F(r,e,t){let[n,i]=[0,r.length];for(;n<i;){let o=n+i>>1;e(r[o])<=t?n=o+1:i=o}return n}function Ue(r,e,t){let n=e(t),i=r.at(-1);if(i===void 0||e(i)<=n)return r.push(t)-1;let o=F(r,e,n);return r.splice(o,0,t),o}var _=({at:r})=>r,rt=r=>r,$=class{#t;#e=[];#i=[];#n=0;constructor(e=()=>1){this.#t=e}get all(){return this.#e}add(e){let t=Ue(this.#e,_,e),n=t-1,i=n<0?this.#n:this.#i[n]+this.#t(this.#e[n]);this.#i.splice(t,0,i);for(let o=t;o<this.#e.length;o++)this.#i[o]=i,i+=this.#t(this.#e[o])}find(e){let t=this.#e[F(this.#e,_,e)-1];return t!==void 0&&e<t.to?t:void 0}last(e){return this.#e[F(this.#e,_,e)-1]}weightAt(e){let t=F(this.#e,_,e)-1;if(t<0)return this.#n;let n=this.#e[t];return this.#i[t]+(n.to<=e?this.#t(n):0)}forget(e){let t=this.#e.findIndex(({to:o})=>o>=e),n=t<0?this.#e.length:t;if(n===0)return;let i=this.#e[n-1];this.#n=this.#i[n-1]+this.#t(i),this.#e=this.#e.slice(n),this.#i=this.#i.slice(n)}},L=class{#t=[];add(e,t){Ue(this.#t,_,{at:e,value:t})}get all(){return this.#t}countAt(e){return F(this.#t,_,e)}at(e){return this.last(e)?.value}last(e){return this.#t[this.countAt(e)-1]}forget(e){let t=this.countAt(e)-1;t>0&&(this.#t=this.#t.slice(t))}},V=class{#t=[];#e=0;add(e){Ue(this.#t,rt,e)}countAt(e){return this.#e+F(this.#t,rt,e)}forget(e){let t=this.#t.findIndex(i=>i>=e),n=t<0?this.#t.length:t;this.#e+=n,this.#t=this.#t.slice(n)}};var ae=class{number;name;isLoop=!1;presence=new L;computing=new $;writing=new $;turns=new $(({count:e})=>e??1);open;constructor(e,t){this.number=e,this.name=t}get kind(){return this.isLoop?"serves":this.name.startsWith("acceptor")?"accepts":this.name.startsWith("computing")?"computes":/^(worker|process|loop|child)/.test(this.name)?"serves":"other"}activityAt(e){let[t,n]=[this.computing.find(e),this.writing.find(e)];if(t!==void 0)return B("computing",t);if(n!==void 0)return B("writing",n);let{open:i}=this;if(i!==void 0&&i.at<=e&&e<i.to){if(i.what==="computing"||i.what==="writing")return B(i.what,i);if(i.what==="turn")return B("turn",i)}let o=this.turns.find(e);return o&&B("turn",o)}forget(e){this.presence.forget(e),this.computing.forget(e),this.writing.forget(e),this.turns.forget(e)}};function B(r,{at:e,connection:t,task:n}){return{what:r,connection:t,task:n,sinceUs:e}}var Oe=1e3;function st(r,e,t){let n=r.activityAt(e);if(r.isLoop&&n!==void 0&&(n.what==="computing"||e-n.sinceUs>=Oe))for(let o of t)o.doing!=="reading"||o.connection===n.connection||(o.doing="waiting for the loop",o.waitsFor=n.connection,o.sinceUs=Math.max(o.sinceUs,n.sinceUs));return{number:r.number,name:r.name,isLoop:r.isLoop,kind:r.kind,activity:n,turns:r.turns.weightAt(e),lastTurn:r.turns.last(e)?.connection,dots:t}}var de=class{id;peer;connection;isOwn=!1;place="taken";thread;doing="waiting";task;sinceUs=0;waitsFor;ending;outcome;failure;seenUs=1/0;leftUs=1/0;begunUs=1/0;queued;inQueue;servedUs=1/0;server;overUs=1/0;goneUs=1/0;endedWith;over;computing;awaiting;writing;open;constructor(e,t){this.id=e,this.peer=t}add(e,t){(this[e]??=new $).add(t)}forget(e){this.computing?.forget(e),this.awaiting?.forget(e),this.writing?.forget(e)}get fromUs(){return Math.min(this.seenUs,this.begunUs,this.inQueue?.at??1/0)}get doneUs(){return this.begunUs<1/0?this.overUs:Math.min(this.goneUs,this.inQueue?.to??this.leftUs)}get accepting(){let e=Math.min(this.leftUs,this.begunUs,this.goneUs,this.inQueue?.at??1/0);return this.seenUs<e?{at:this.seenUs,to:e}:void 0}hasEnded(e,t){let n=this.begunUs===1/0?this.goneUs:this.overUs;return e>=n&&e>=this.endUs(t)}endUs(e){return this.begunUs===1/0?this.goneUs:this.overUs===1/0?1/0:this.goneUs<1/0?Math.max(this.overUs,this.goneUs):e&&this.over?.outcome!=="unknown"?1/0:this.overUs}look(e,t){this.waitsFor=void 0,this.task=void 0,this.doing="waiting";let n=this.hasEnded(e,t),i=e>=this.overUs||n;this.thread=e>=this.servedUs?this.server:void 0,this.outcome=i?this.over?.outcome:void 0,this.failure=i?this.over?.failure:void 0,this.ending=n?this.endedWith??"unknown":void 0,n?this.#t("ended",this.endUs(t)):e>=this.overUs?this.#t("closing",this.overUs):e>=this.servedUs?this.#i(e):e>=this.begunUs?this.#e(e):this.inQueue!==void 0&&e>=this.inQueue.at?this.#t(e<this.inQueue.to?"hand-over queue":"taken",this.inQueue.at):e<this.leftUs?this.#t("accept queue",this.seenUs):this.#t("taken",this.leftUs)}#t(e,t){this.place=e,this.sinceUs=t}#e(e){let{queued:t}=this,n=t===void 0?this.servedUs===1/0:t.at<=e&&e<t.to;this.#t(n?"hand-over queue":"taken",t?.at??this.begunUs)}#i(e){let{open:t}=this;this.#t("thread",this.servedUs);let n=this.computing?.find(e)??$e(t,"computing",e),i=this.awaiting?.find(e)??$e(t,"waiting for computing",e);if(n!==void 0&&n.thread===this.server)return this.#n("computing",n);let o=i??n;if(o!==void 0)return this.#n("waiting for computing",o);let s=this.writing?.find(e)??$e(t,"writing",e);if(s!==void 0)return this.#n("writing",s);this.doing="reading",this.sinceUs=Math.max(this.servedUs,this.computing?.last(e)?.to??0,this.awaiting?.last(e)?.to??0,this.writing?.last(e)?.to??0)}#n(e,{at:t,task:n}){this.doing=e,this.task=n,this.sinceUs=t}};function $e(r,e,t){return r?.what===e&&r.at<=t&&t<r.to?r:void 0}var le=class{#t=[];#e=[];#i=!0;#n=[];#o=0;#s=-1/0;#r=0;get all(){return this.#a(),this.#t}add(e){this.#e.push(e)}comes({fromUs:e},t){t<1/0&&e<t&&(this.#i=!1)}lookAnew(){this.#s=1/0}keep(e){this.#a(),this.#t=this.#t.filter(e),this.lookAnew()}presentAt(e,t,n){this.#a();let i=e>=this.#s&&t===this.#r;i||(this.#n=[],this.#o=0);let o=s=>s.hasEnded(e-t,n);for(i&&this.#n.some(o)&&(this.#n=this.#n.filter(s=>!o(s)));this.#o<this.#t.length;this.#o++){let s=this.#t[this.#o];if(s.fromUs>e)break;o(s)||this.#n.push(s)}return this.#s=e,this.#r=t,this.#n}#a(){let e=this.#e;if(!(this.#i&&e.length===0)){if(this.#e=[],this.#i&&e.length<=256){for(let t of e)this.#d(t);return}for(let t of e)this.#t.push(t);this.#t.sort((t,n)=>t.fromUs-n.fromUs),this.#i=!0,this.lookAnew()}}#d(e){let t=this.#t,{fromUs:n}=e,i=t.length;for(;i>0&&t[i-1].fromUs>n;)i--;i===t.length?t.push(e):t.splice(i,0,e),!(i>=this.#o)&&(this.#o++,this.#n.push(e))}};var tn=7e5,nn=.1,on=["done","cut","empty","failed","unknown"],rn=["FIN","RST","unknown"],ct={fin:"FIN",reset:"RST",unknown:"unknown"},R=class{header;isFinished=!1;#t;#e=new Map;#i=new Map;#n=new le;#o=new Map;#s=new Map;#r=new Map;#a=new Map;#d=new V;#h=new Map(on.map(e=>[e,new V]));#l=new Map(rn.map(e=>[e,new V]));#c=new L;#E;#m=new L;#y=new L;#v=new Map;#p=!1;#x=!1;#L=0;#u=1/0;#k=0;#g=1/0;#U=0;#I;constructor({keepUs:e=1/0}={}){this.#t=e}get fromUs(){return Math.max(this.#u===1/0?0:this.#u,this.#U)}get toUs(){return this.#k}get firstUs(){let e=this.#n.all[0]?.fromUs??1/0;return e===1/0?void 0:e}get figures(){return this.#m.all.map(({value:e})=>e)}get dots(){return this.#n.all}add(e){for(let n of e)this.#P(n);this.#I=void 0;let t=this.#k-this.#t;t-this.#U>this.#t*nn&&this.#_(t)}at(e,t=0){let n=this.#n.presentAt(e,t,this.#p),i=new Map;for(let u of n){if(u.look(e,this.#p),u.place!=="thread"||u.server===void 0)continue;let m=i.get(u.server);m===void 0?i.set(u.server,[u]):m.push(u)}let o=[];for(let u of this.#e.values()){let m=i.get(u.number)??[];u.presence.at(e)!==!0&&m.length===0||o.push(st(u,e,m))}sn(n,o);let s=this.#c.at(e),a=s?.queued,d=new Map([...this.#v].map(([u,m])=>[u,m.at(e)??0])),c=lt(this.#l,e),f=![...d].some(([u,m])=>u!=="spans"&&m>0)?0:this.#D(s,c,n);return{us:e,dots:n,threads:o.sort((u,m)=>u.number-m.number),listeners:[...this.#i.values()].map(({local:u,course:m})=>{let{waiting:p,limit:g}=m.at(e)??{};return{local:u,waiting:p,limit:g}}),areEndsTold:this.#p,hasHandOver:this.#x||o.some(({kind:u})=>u==="accepts"),queued:a,totals:{begun:this.#d.countAt(e),outcomes:lt(this.#h,e),endings:{...c,unknown:c.unknown+f}},counters:s,figures:this.#m.at(e),leftOut:d,isPartial:e-(this.#v.get("connections")?.last(e)?.at??-1/0)<tn,isClosing:e>=this.#g,note:this.#y.at(e)}}countersAt(e){return this.#c.at(e)}#D(e,t,n){let i=this.#E;if(e===void 0||i===void 0)return 0;let o=({accepted:d=0,live:c=0})=>d-c,s=t.FIN+t.RST+t.unknown,a=n.reduce((d,{place:c})=>d+(c==="closing"?1:0),0);return Math.max(0,o(e)-o(i)-s-a)}find(e,t){return e!==void 0?this.#o.get(e):this.#n.all.find(n=>n.id===t)}lifeOf(e){return at(Le(e,this.#b))}happenings(){return this.#I??=at([...this.#n.all.flatMap(e=>Le(e,this.#b)),...this.#M()])}#M(){let e=this.#g;return this.#n.all.some(({doneUs:n})=>e<n)&&e<1/0?[{us:e,text:"the server is told to close",connection:void 0}]:[]}#b=e=>this.#e.get(e??0)?.name??"a thread";#P(e){if(e.type==="recording"){this.header=e;return}switch(this.#u=Math.min(this.#u,e.at),this.#k=Math.max(this.#k,e.at,"to"in e&&e.type==="span"?e.to:0),e.type){case"thread":return this.#$(e);case"begun":return this.#A(e);case"queued":{this.#x=!0;let t=this.#o.get(e.connection);t!==void 0&&(t.queued=e);return}case"served":{let t=this.#o.get(e.connection);if(t===void 0)return;t.servedUs=e.at,t.server=e.thread;return}case"over":{this.#h.get(e.outcome)?.add(e.at);let t=this.#o.get(e.connection);if(t===void 0)return;t.overUs=e.at,t.over={outcome:e.outcome,failure:e.failure},t.open=void 0;return}case"span":return this.#R(e);case"doing":return this.#S(e);case"socket":return this.#H(e);case"connection":return this.#T(e);case"listener":{let t=e.cookie??e.local,n=this.#i.get(t)??{local:e.local,course:new L};this.#i.set(t,n),n.course.add(e.at,e),e.cookie!==void 0&&this.#O();return}case"counters":this.#E??=e.values,this.#c.add(e.at,e.values);return;case"figures":this.#m.add(e.at,e);return;case"closing":this.#g=Math.min(this.#g,e.at);return;case"note":this.#y.add(e.at,e.text);return;case"left_out":{let t=this.#v.get(e.what)??new L;this.#v.set(e.what,t),t.add(e.at,(t.at(e.at)??0)+e.count),e.what!=="spans"&&this.#f(e.at);return}case"end":this.isFinished=!0}}#O(){this.#p||this.#n.lookAnew(),this.#p=!0}#$({thread:e,name:t,loop:n,gone:i,at:o}){let s=this.#e.get(e)??new ae(e,String(t));this.#e.set(e,s),s.name=String(t),s.isLoop||=n===!0,s.presence.add(o,i!==!0),i===!0&&(s.open=void 0)}#A(e){let{at:t,connection:n,peer:i,cookie:o,by:s}=e;this.#d.add(t);let d=(o===void 0?void 0:this.#r.get(o))??this.#s.get(i),l=d!==void 0&&d.connection===void 0&&t<d.goneUs?d:this.#C(i);l.goneUs<1/0&&this.#n.lookAnew();let{fromUs:f}=l;l.connection=n,l.begunUs=t,this.#n.comes(l,f),l.isOwn=s==="page",this.#o.set(n,l),o!==void 0&&this.#r.set(o,l);let u=this.#a.get(i);u!==void 0&&(this.#a.delete(i),u.at>=t&&dt(l,u))}#C(e){let t=new de(++this.#L,String(e));return this.#n.add(t),this.#s.set(e,t),t}#R(e){let{name:t,at:n,to:i,thread:o,task:s}=e,a=o===void 0?void 0:this.#e.get(o);a?.open!==void 0&&a.open.at<i&&(a.open=void 0);let d=e.connection===void 0?void 0:this.#o.get(e.connection);d?.open!==void 0&&d.open.at<i&&(d.open=void 0);let c={at:n,to:i,thread:o,task:s};switch(t){case"computing":a?.computing.add(e),d?.add("computing",c);return;case"waiting for computing":d?.add("awaiting",c);return;case"writing":a?.writing.add(e),d?.add("writing",c);return;case"turn":case"turns":a?.turns.add(e)}}#S(e){let{at:t,thread:n,connection:i,peer:o,what:s,task:a}=e;if(o!==void 0)return this.#N(o,t,s!==void 0);let d=n===void 0?void 0:this.#e.get(n);if(s===void 0){let l=d===void 0?i:d.open?.connection;d?.open!==void 0&&(d.open={...d.open,to:t});let f=this.#o.get(l??0);f?.open!==void 0&&(f.open={...f.open,to:t});return}d!==void 0&&(d.open={...e,to:1/0});let c=this.#o.get(i??0);c!==void 0&&(c.open={at:t,to:1/0,thread:n,task:a,what:s})}#N(e,t,n){this.#x=!0;let i=this.#w(e,t);if(n){let o=i?.connection===void 0&&i!==void 0?i:this.#C(e),{fromUs:s}=o;o.inQueue={at:t,to:1/0},this.#n.comes(o,s)}else i?.inQueue!==void 0&&(i.inQueue={...i.inQueue,to:t})}#H({at:e,cookie:t,remote:n,state:i,end:o,waiting:s}){if(o==="client")return;this.#O();let a=this.#r.get(t)??this.#w(n,e);if(i==="CLOSE"){if(this.#r.delete(t),a===void 0)return;a.goneUs=Math.min(a.goneUs,e),a.leftUs=Math.min(a.leftUs,e);return}if(s===!0){a??=this.#C(n);let{fromUs:d}=a;a.seenUs=Math.min(a.seenUs,e),this.#n.comes(a,d)}else a!==void 0&&a.seenUs<e&&(a.leftUs=Math.min(a.leftUs,e));a!==void 0&&this.#r.set(t,a)}#w(e,t){let n=this.#s.get(e);return n!==void 0&&t<n.goneUs?n:void 0}#T(e){this.#l.get(ct[e.ended_with]??"unknown")?.add(e.at);let n=(e.cookie===void 0?void 0:this.#r.get(e.cookie))??this.#s.get(e.remote);n!==void 0&&n.endedWith===void 0&&n.fromUs<=e.at?(n.goneUs<e.at&&this.#n.lookAnew(),dt(n,e)):this.#a.set(e.remote,e)}#f(e){let t=new Set(this.#r.values());for(let n of this.#n.all)n.overUs<=e&&n.goneUs===1/0&&!t.has(n)&&(n.goneUs=e)}#_(e){this.#U=e;let t=({doneUs:n})=>n<e;this.#n.keep(n=>t(n)?(n.connection!==void 0&&this.#o.delete(n.connection),this.#s.get(n.peer)===n&&this.#s.delete(n.peer),!1):!0);for(let[n,i]of this.#r)t(i)&&this.#r.delete(n);for(let[n,{at:i}]of this.#a)i<e&&this.#a.delete(n);for(let n of this.#n.all)n.forget(e);for(let[n,i]of this.#e){i.forget(e);let{all:o}=i.presence;o.length===1&&o[0]?.value===!1&&o[0].at<e&&this.#e.delete(n)}for(let{course:n}of this.#i.values())n.forget(e);for(let n of[this.#d,...this.#h.values(),...this.#l.values()])n.forget(e);for(let n of[this.#c,this.#m,this.#y,...this.#v.values()])n.forget(e)}};function at(r){return r.toSorted((e,t)=>e.us-t.us)}function dt(r,{at:e,ended_with:t}){r.goneUs=e,r.endedWith=ct[t]??"unknown"}function lt(r,e){let t=[...r].map(([n,i])=>[n,i.countAt(e)]);return Object.fromEntries(t)}function sn(r,e){let t=s=>{let a=e.filter(d=>d.kind===s);return a.length===1?a[0]:void 0},n=t("serves"),i=n?.isLoop===!0?n.activity?.what==="computing"?n.activity.connection:void 0:n?.dots[0]?.connection,o=t("computes")?.activity?.connection;for(let s of r){let{place:a,doing:d,connection:c}=s;a==="accept queue"||a==="hand-over queue"?s.waitsFor=i:d==="waiting for computing"&&c!==o&&(s.waitsFor=o)}}var an=Math.PI*(3-Math.sqrt(5));function ht(r){return r<=30?10:r<=120?7:r<=500?4.5:r<=2e3?3:1.8}function ft({width:r,height:e},t,n){let i=n*2.6,o=Math.min(i,Math.sqrt(r*e/Math.max(1,t)));for(;o>.5&&Math.max(1,Math.floor(r/o))*Math.max(1,Math.floor(e/o))<t;)o*=.97;return o}function mt(r,e,t,n){let i=ft(r,e,t),{x:o,y:s,width:a,height:d}=r;if(n){let l=Math.max(1,Math.floor(a/i));return f=>({x:o+i*(f%l+.5),y:s+d-i*(Math.floor(f/l)+.5)})}let c=Math.max(1,Math.floor(d/i));return l=>({x:o+a-i*(Math.floor(l/c)+.5),y:s+i*(l%c+.5)})}function W(r,e,t){let n=ft(r,e,t),i=Math.max(1,Math.floor(r.width/n));return o=>({x:r.x+n*(o%i+.5),y:r.y+n*(Math.floor(o/i)+.5)})}function Ie({x:r,y:e,width:t,height:n},i){let o=Math.max(4,Math.min(t,n)/2-i-3);return{x:r+t/2,y:e+n/2,radius:o}}function pt(r,e,t,n){let i=Math.floor(2*Math.PI*e.radius/(n*2.6)),o=2**Math.floor(Math.log2(Math.max(1,i))),s=t<=o,a=2**Math.ceil(Math.log2(Math.max(1,t)));r.set(\`\${e.x} \${e.y} \${e.radius} \${s?0:a}\`,d=>{if(s)return ut(e,e.radius,2*Math.PI*dn(d)-Math.PI/2);let c=Math.sqrt(.06+.94*(d+.5)/a);return ut(e,e.radius*c,d*an)})}function ut({x:r,y:e},t,n){return{x:r+t*Math.cos(n),y:e+t*Math.sin(n)}}function dn(r){let[e,t]=[0,.5];for(let n=r;n>0;n>>=1,t/=2)(n&1)===1&&(e+=t);return e}var ce=class{#t="";#e=()=>({x:0,y:0});#i=[];set(e,t){e!==this.#t&&(this.#t=e,this.#e=t,this.#i.length=0)}at(e){return this.#i[e]??=this.#e(e)}},N=class{#t=new Map;#e=[];#i=0;#n=0;get size(){return this.#i}keep(e){let t=++this.#n,n;for(let o of e){let s=this.#t.get(o);s===void 0?(n??=[]).push(o):s.round=t}let i=e.length-(n?.length??0);this.#t.size>i&&this.#o(t);for(let o of n??[])this.#t.set(o,{number:this.#e.pop()??this.#i++,round:t})}#o(e){for(let[t,n]of this.#t)n.round!==e&&(this.#t.delete(t),this.#e.push(n.number));this.#t.size===0&&(this.#e.length=0,this.#i=0),this.#e.sort((t,n)=>n-t)}of(e){return this.#t.get(e)?.number??0}};var Ce={closing:["Closing","not over yet"],FIN:["FIN","ended in order"],RST:["RST","reset"],unknown:["Over","how is not told"]};function K(r,e,t){let n=h("p",{class:"count"}),i=h("p",{class:"who whom"}),o=h("div",{class:"well"});return{root:h("section",{class:\`box \${r}\`,children:[...e===""?[]:[h("h3",{text:e})],...t===""?[]:[h("p",{class:"who",text:t})],n,i,o]}),count:n,whom:i,well:o}}function gt({number:r,name:e,isLoop:t,kind:n,turns:i}){let o=h("p",{class:"what"}),s=h("div",{class:"well"});return{root:h("div",{class:\`card \${t?"loop":n}\`,attributes:{"data-thread":String(r)},children:[h("h4",{text:e}),o,s]}),what:o,well:s,turns:i,slots:new N,places:new ce,angle:-Math.PI/2,rectangle:{x:0,y:0,width:1,height:1},toAngle:-Math.PI/2}}function yt({activity:r,dots:e,isLoop:t}){return r?.what==="computing"?"computing":r?.what==="writing"?"writing":t||e.length===0?"free":"reading"}function ue(r,e){return\`\${k(r)} \${e}\${r===1?"":"s"}\`}function bt({activity:r,dots:e,isLoop:t,turns:n,kind:i},o,s){let a=r?.connection===void 0?"":\` for \${s(r.connection)}\`,d=r===void 0?"":x(Math.max(0,o-r.sinceUs));if(r?.what==="computing"){let f=r.task===void 0?"":\` \${r.task}\`;return t?\`stands still: computes\${f}\${a} · \${d}\`:\`computes\${f}\${a} · \${d}\`}if(t&&r!==void 0&&o-r.sinceUs>=Oe)return\`stands still: a turn\${a} · \${d}\`;if(t)return\`\${ue(e.length,"connection")} · \${z(n)} \${n===1?"turn":"turns"}\`;if(i==="computes")return"free";let[c]=e;if(c===void 0)return"free";let l=c.connection===void 0?c.peer:s(c.connection);return c.doing==="writing"?\`waits until \${l} takes what was sent\`:\`waits for \${l} to send\`}var wt=90,ln=2e3,cn=4,un=9,he=class{#t=new Map;#e=new Map(M.map(({look:e})=>[e,[]]));#i=0;get size(){return this.#t.size}keep(e){let t=++this.#i,[n,i]=[!1,!1];for(let o of e){let s=this.#t.get(o);if(s===void 0){n=!0,this.#t.set(o,{x:NaN,y:NaN,toX:NaN,toY:NaN,alpha:0,round:t,dot:o,look:D(o),place:o.place,thread:o.thread});continue}s.round=t;let a=D(o);i||=a!==s.look||o.place==="ended",s.look=a,!(s.place===o.place&&s.thread===o.thread)&&(n=!0,s.place=o.place,s.thread=o.thread)}if(this.#t.size>e.length){for(let[o,s]of this.#t)s.round!==t&&this.#t.delete(o);n=!0}return{hasMoved:n,hasChanged:i||n}}find(e){return this.#t.get(e)}send(e,{x:t,y:n},i){let o=this.#t.get(e);o!==void 0&&(o.toX=t,o.toY=n,Number.isNaN(o.x)&&(o.x=t+i.x,o.y=n+i.y))}move(e,t){let n=t?1:1-Math.exp(-e/wt),i=!1;for(let o of this.#t.values()){let[s,a]=[o.toX-o.x,o.toY-o.y];n===1||Math.abs(s)+Math.abs(a)<.4?(o.x=o.toX,o.y=o.toY):(o.x+=s*n,o.y+=a*n,i=!0),!(o.alpha>=1)&&(o.alpha=Math.min(1,t?1:o.alpha+e/(2*wt)),i=!0)}return i}get isLarge(){return this.#t.size>ln}nearest({x:e,y:t},n){let[i,o]=[void 0,n*n];for(let s of this.#t.values()){let a=(s.x-e)**2+(s.y-t)**2;a>o||([i,o]=[s,a])}return i?.dot}draw(e,t){let{radius:n,colours:i}=t;for(let s of this.#e.values())s.length=0;for(let s of this.#t.values())Number.isNaN(s.x)||this.#e.get(s.look)?.push(s);for(let[s,a]of this.#e){if(a.length===0)continue;let d=i.get(s);n<cn?hn(e,a,d,n):fn(e,a,s,d,t)}e.globalAlpha=1;let{isFollowed:o}=t;if(o!==void 0)for(let s of this.#t.values())o(s.dot)&&(e.strokeStyle=i.get("accent"),e.lineWidth=2,e.beginPath(),e.arc(s.x,s.y,Math.max(n+4,7),0,2*Math.PI),e.stroke())}};function hn(r,e,t,n){if(r.globalAlpha=1,r.fillStyle=t,n<2.5){let i=2*n;for(let{x:o,y:s}of e)r.fillRect(o-n,s-n,i,i);return}r.beginPath();for(let{x:i,y:o}of e)r.moveTo(i+n,o),r.arc(i,o,n,0,2*Math.PI);r.fill()}function fn(r,e,t,n,{radius:i,colours:o,letterOf:s,shareOf:a,font:d}){let c=ze.get(t),l=o.get("well"),f=Math.max(1.5,i*.26);r.lineWidth=f,r.strokeStyle=n,r.font=d,r.textAlign="center",r.textBaseline="middle";for(let u of e){let{x:m,y:p,dot:g}=u;if(r.globalAlpha=u.alpha*a(g),r.beginPath(),c==="cross"){let w=i*.7;r.moveTo(m-w,p-w),r.lineTo(m+w,p+w),r.moveTo(m+w,p-w),r.lineTo(m-w,p+w),r.stroke();continue}r.arc(m,p,c==="ring"?i-f/2:i,0,2*Math.PI),r.fillStyle=c==="ring"?l:n,r.fill(),c==="ring"&&r.stroke(),!(i<un)&&(r.fillStyle=c==="ring"?n:l,r.fillText(s(g),m,p+.5))}r.globalAlpha=1}function Re({x:r,y:e,width:t,height:n}){return{x:r+t/2,y:e+n/2}}var mn=32,pn=720,gn=100,yn=64,bn=70,Ne="in the kernel",fe=class{root;canvas;#t;#e;#i;#n;#o;#s;#r;#a;#d=new he;#h;#l=new Map;#c;#E="";#m=new Map;#y=!1;#v=1;#p=!1;#x=new Map;#L=-1/0;#u=10;#k="";#g=!0;lingerUs=7e5;constructor(e){this.#h=e;let t=h("div",{class:"fill"}),n=K("accept","Accept queue",Ne);n.count.after(h("div",{class:"gauge",children:[t]})),this.#e={...n,gauge:t,where:n.root.querySelector(".who")},this.#i=K("handover","Hand-over queue","in the process"),this.#s=h("div",{class:"cards"}),this.#r=h("p",{class:"others"}),this.#o=h("p",{class:"who"});let i=h("h3",{text:"Threads"});this.#n={root:h("section",{class:"box threads",children:[i,this.#o,this.#s,this.#r]}),title:i},this.#a=new Map(Object.keys(Ce).map(s=>{let a=K(\`end \${s.toLowerCase()}\`,...Ce[s]);return[s,{...a,slots:new N}]}));let o=h("div",{class:"ends",children:[...this.#a.values()].map(({root:s})=>s)});this.#t=h("div",{class:"flow",children:[this.#e.root,this.#i.root,this.#n.root,o]}),this.canvas=h("canvas",{attributes:{"aria-hidden":"true"}}),this.root=h("div",{class:"stage",children:[this.#t,this.canvas]})}refresh(){this.#y=!1,this.#g=!0,this.#L=-1/0}hit(e){return this.#d.nearest(e,Math.max(14,this.#u+4))}show(e,t,n){let i=performance.now();this.#I(e)&&this.refresh(),i-this.#L>=gn&&(this.#L=i,this.#D(e)),this.#y||this.#P();let{hasMoved:o,hasChanged:s}=this.#d.keep(e.dots);(o||this.#g)&&this.#$(e);let a=this.#d.move(t,n),d=this.#N(e,t,n),c=this.#U(e);return(s||a||d||this.#g||c!==this.#k)&&this.#H(e),this.#k=c,this.#g=!1,a||d}#U({threads:e}){return e.map(({activity:t,isLoop:n,kind:i})=>t!==void 0&&(n||i==="computes")?\`\${t.what} \${t.connection}\`:"").join()}get isLarge(){return this.#d.isLarge}#I({threads:e,hasHandOver:t,totals:n}){let i=e.filter(({kind:b})=>b==="serves"||b==="computes"),o=i.filter(({isLoop:b})=>b),s=i.filter(({isLoop:b})=>!b),a=s.length>mn,d=a?o:[...o,...s],c=e.filter(({kind:b})=>b!=="serves"&&b!=="computes"),{unknown:l}=n.endings,f=JSON.stringify([t,a,l>0,d.map(({number:b,name:T})=>[b,T]),c.map(({name:b})=>b)]);if(f===this.#E)return!1;this.#E=f,this.#i.root.hidden=!t,this.#t.classList.toggle("with-handover",t);let u=new Map(this.#l);this.#l.clear();for(let b of d)this.#l.set(b.number,u.get(b.number)??gt(b));let m=[...this.#l.values()].map(({root:b})=>b);a?(this.#c??={...K("dense","",""),slots:new N},m.push(this.#c.root)):this.#c=void 0,this.#s.replaceChildren(...m),this.#s.classList.toggle("one",d.length===1&&!a);let p=o.length===0,g=d.some(({name:b})=>b.startsWith("process"));y(this.#n.title,p?g?"Processes":"Threads":o.length===1?"Event loop":"Event loops");let w=c.map(({name:b})=>b).join(", ");return y(this.#r,w===""?"":\`also there: \${w}\`),this.#r.hidden=w==="",!0}#D(e){let{listeners:t,dots:n,queued:i,totals:o,threads:s,us:a}=e,d=v=>n.reduce((E,ye)=>E+(ye.place===v?1:0),0),c=t.filter(({waiting:v})=>v!==void 0),l=c.reduce((v,{waiting:E=0})=>v+E,0),f=c.reduce((v,{limit:E=0})=>v+E,0);y(this.#e.count,c.length===0?"not known":\`\${l} of \${f}\`),this.#e.where!==null&&y(this.#e.where,e.isClosing?\`\${Ne}; newcomers are kept out\`:Ne),this.#e.gauge.style.width=\`\${f===0?0:Math.min(100,l/f*100)}%\`,this.#M(this.#e,"accept queue",n),this.#M(this.#i,"hand-over queue",n);let u=d("hand-over queue");y(this.#i.count,String(Math.max(u,i??0)));for(let v of s){let E=this.#l.get(v.number);if(E===void 0)continue;let{root:ye,what:Ae}=E,He=bt(v,a,this.#h.nameOf);y(Ae,He),Ae.title=He,ye.dataset.state=yt(v)}let m=s.filter(({kind:v})=>v==="serves"),p=m.reduce((v,{dots:E})=>v+E.length,0),g=m.filter(({dots:v})=>v.length>0).length;this.root.classList.toggle("partial",e.isPartial);let w=e.counters?.live,b=(e.leftOut.get("connections")??0)===0||w===void 0||w<=p;if(y(this.#o,e.isPartial&&w!==void 0?\`the server counts \${ue(w,"connection")}, too many come and go to draw each\`:m.some(({isLoop:v})=>v)?\`\${b?"":\`\${k(p)} of \`}\${ue(b?p:w,"connection")} in turns\`:\`\${k(g)} of \${k(m.length)} \${g===1?"serves":"serve"}\`),this.#c!==void 0){let v=m.filter(({activity:E})=>E?.what==="computing").length;y(this.#c.count,\`\${k(m.length)} threads: \${k(v)} compute, \${k(g-v)} wait for peers, \${k(m.length-g)} are free\`)}let{endings:T,outcomes:U}=o,O=Object.values(U).reduce((v,E)=>v+E,0),kt=T.FIN+T.RST+T.unknown;y(this.#b("closing").count,String(d("closing"))),y(this.#b("FIN").count,k(T.FIN)),y(this.#b("RST").count,k(T.RST));let De=e.areEndsTold||kt>0||O===0,Pe=T.unknown+(De?0:O);y(this.#b("unknown").count,k(Pe));for(let v of["closing","FIN","RST"])this.#b(v).root.hidden=!De;this.#b("unknown").root.hidden=Pe===0}#M({whom:e},t,n){let i=n.find(o=>o.place===t)?.waitsFor;y(e,i===void 0?"":\`for \${this.#h.nameOf(i)}\`)}#b(e){return this.#a.get(e)}#P(){this.#y=!0;let e=this.root.getBoundingClientRect(),t=l=>{let{x:f,y:u,width:m,height:p}=l.getBoundingClientRect();return{x:f-e.x,y:u-e.y,width:m,height:p}};this.#p=e.width<pn,this.#m=new Map;let n=[this.#e,this.#i,...this.#a.values()].map(({well:l})=>l);this.#c!==void 0&&n.push(this.#c.well);for(let l of n)this.#m.set(l,t(l));for(let l of this.#l.values())l.rectangle=t(l.well);let i=this.#v=Math.min(2,devicePixelRatio),[o,s]=[Math.round(e.width*i),Math.round(e.height*i)];(this.canvas.width!==o||this.canvas.height!==s)&&(this.canvas.width=o,this.canvas.height=s);let a=getComputedStyle(this.root),d=h("i",{class:"probe"});this.root.append(d);let c=[...M.map(({look:l})=>l),"well","accent","line","faint"];this.#x=new Map(c.map(l=>(d.style.color=\`var(--figure-\${l})\`,[l,getComputedStyle(d).color]))),d.remove(),this.#O=\`600 10px \${a.fontFamily}\`}#O="600 10px sans-serif";#$(e){let{dots:t,threads:n}=e;this.#u=ht(t.length);let i=this.#u,o=new Map;for(let l of t){let f=l.place==="ended"?l.ending:l.place,u=o.get(f);u===void 0?o.set(f,[l]):u.push(l)}let s=this.#p?{x:0,y:-18}:{x:-18,y:0},a=(l,f)=>l.sinceUs-f.sinceUs||l.id-f.id,d=(l,{well:f})=>{let u=mt(this.#S(f),l.length,i,this.#p);l.sort(a).forEach((m,p)=>this.#d.send(m,u(p),s))};d(o.get("accept queue")??[],this.#e);let c=!this.#i.root.hidden;c&&d([...o.get("hand-over queue")??[],...o.get("taken")??[]],this.#i);for(let l of n)this.#C(l,s);if(this.#c!==void 0&&this.#R(n,s),!c){let{x:l,y:f,height:u}=this.#A();for(let m of[...o.get("hand-over queue")??[],...o.get("taken")??[]])this.#d.send(m,{x:l-i,y:f+u/2},s)}for(let[l,{well:f,slots:u}]of this.#a){let m=o.get(l)??[];u.keep(m);let p=W(this.#S(f),Math.max(1,u.size),i);for(let g of m)this.#d.send(g,p(u.of(g)),s)}}#A(){return[...this.#l.values()][0]?.rectangle??{x:0,y:0,width:0,height:0}}#C({number:e,dots:t,isLoop:n},i){let o=this.#l.get(e);if(o===void 0)return;let{rectangle:s,slots:a,places:d}=o;a.keep(t);let c=this.#u;if(n){pt(d,Ie(s,c),a.size,c);for(let f of t)this.#d.send(f,d.at(a.of(f)),i);return}let l=W(s,Math.max(1,a.size),c);for(let f of t)this.#d.send(f,l(a.of(f)),i)}#R(e,t){if(this.#c===void 0)return;let{well:n,slots:i}=this.#c,o=e.filter(({number:a,kind:d})=>d==="serves"&&!this.#l.has(a));i.keep(o.map(({number:a})=>a));let s=W(this.#S(n),Math.max(1,i.size),this.#u);for(let{number:a,dots:d}of o)for(let c of d)this.#d.send(c,s(i.of(a)),t)}#S(e){return this.#m.get(e)??{x:0,y:0,width:1,height:1}}#N({threads:e,dots:t},n,i){let o=!1;for(let{number:s,isLoop:a,activity:d,turns:c,lastTurn:l,dots:f}of e){let u=a?this.#l.get(s):void 0;if(u===void 0)continue;let m=d?.connection??l,p=m===void 0?void 0:f.find(({connection:b})=>b===m),g=p&&this.#d.find(p);if(g!==void 0){let b=Re(u.rectangle);u.toAngle=Math.atan2(g.toY-b.y,g.toX-b.x)}else c!==u.turns&&(u.toAngle+=(c-u.turns)*2*Math.PI/Math.max(8,f.length));u.turns=c;let w=wn(u.toAngle-u.angle);i||Math.abs(w)<.01?u.angle=u.toAngle:(u.angle+=w*(1-Math.exp(-n/bn)),o=!0)}return o&&t.length>0}#H(e){let t=this.canvas.getContext("2d");if(t===null)return;let n=this.#v;t.setTransform(n,0,0,n,0,0),t.clearRect(0,0,this.canvas.width,this.canvas.height);for(let o of e.threads)o.isLoop&&this.#T(t,o);this.#f(t,e.threads),this.#_(t,e);let{lingerUs:i}=this;this.#d.draw(t,{radius:this.#u,colours:this.#x,font:this.#O,letterOf:this.#h.letterOf,isFollowed:this.#h.followed(),shareOf:({place:o,sinceUs:s})=>o==="ended"?Math.max(0,1-(e.us-s)/i):1})}#w(e){return this.#x.get(e)??"gray"}#T(e,{number:t,activity:n}){let i=this.#l.get(t);if(i===void 0)return;let{x:o,y:s,radius:a}=Ie(i.rectangle,this.#u),d=n?.what==="computing";e.lineWidth=d?2.5:1.5,e.strokeStyle=this.#w(d?"computing":"line"),e.beginPath(),e.arc(o,s,a,0,2*Math.PI),e.stroke();let c=Math.max(4,a-this.#u-6);e.strokeStyle=this.#w(d?"computing":"faint"),e.fillStyle=e.strokeStyle,e.lineWidth=d?4:2.5,e.lineCap="round",e.beginPath(),e.moveTo(o,s),e.lineTo(o+c*Math.cos(i.angle),s+c*Math.sin(i.angle)),e.stroke(),e.beginPath(),e.arc(o,s,d?6:4,0,2*Math.PI),e.fill()}#f(e,t){if(this.#c===void 0)return;let{well:n,slots:i}=this.#c,o=W(this.#S(n),Math.max(1,i.size),this.#u),s=Math.max(2,this.#u*2.2);e.strokeStyle=this.#w("line"),e.lineWidth=1;for(let{number:a,kind:d}of t){if(d!=="serves"||this.#l.has(a))continue;let{x:c,y:l}=o(i.of(a));e.strokeRect(c-s/2,l-s/2,s,s)}}#_(e,{threads:t,dots:n}){let i=t.filter(({kind:s,activity:a})=>s==="computes"&&a?.what==="computing").slice(0,yn);if(i.length===0)return;let o=20;e.font=this.#O,e.textAlign="center",e.textBaseline="middle";for(let{number:s,activity:a}of i){let d=this.#l.get(s);if(d===void 0||a===void 0)continue;let{x:c,y:l}=Re(d.rectangle),f=n.find(({connection:m})=>m===a.connection),u=f&&this.#d.find(f);u!==void 0&&(e.strokeStyle=this.#w("awaiting"),e.lineWidth=1.5,e.setLineDash([4,4]),e.beginPath(),e.moveTo(u.x,u.y),e.lineTo(c,l),e.stroke(),e.setLineDash([])),e.fillStyle=this.#w("computing"),e.beginPath(),e.roundRect(c-o/2,l-o/2,o,o,4),e.fill(),f!==void 0&&(e.fillStyle=this.#w("well"),e.fillText(this.#h.letterOf(f),c,l+.5))}}};function wn(r){return Math.atan2(Math.sin(r),Math.cos(r))}var vn=6e7,xn=700,kn=12,Tn=.04,En=150,Mn=5e3,Sn=3e3,Ln=250,me=class extends Y{static observedAttributes=["src","data-title","names","speed"];#t=[];#e=new se;#i=new q;#n=new R;#o=[];#s=new Map;#r=!1;#a=!1;#d;#h;#l=new re({nameOf:e=>this.#N(e),named:e=>this.#q(e)});#c;#E;#m;#y;#v;#p=[];#x;#L=!0;#u=0;#k;#g=-1/0;#U=-1/0;#I="";#D=new A;get lines(){return this.#t}set lines(e){this.#t=e,this.#r=!1,this.#a=!1,this.#n=new R,this.#n.add(J(e)),this.#A()}get names(){return this.#o}set names(e){this.#o=e,this.#S(),this.#f()}get view(){return this.#n.at(this.#e.us,this.#w)}get scene(){return this.#n}get us(){return this.#e.us}get isPlaying(){return this.#e.isPlaying}get followed(){return this.#l.connection}startLive(e=!1){this.#r=!0,this.#a=!0,this.#n=new R({keepUs:vn}),this.#i=new q,this.#e.goLive(),this.#A(e)}appendLines(e){this.#r||this.startLive(),this.#n.add(e),this.#i.hear(this.#n.toUs,performance.now()),this.#f()}stopLive(){this.#a&&(this.#a=!1,this.#e.isLive=!1,this.#f())}play(){this.#e.play(),this.#f()}pause(){this.#e.pause(),this.#f()}seek(e){this.#R(),this.#e.seek(e),this.#f()}step(e){this.#e.pause();let{us:t}=this.#e,n=this.#n.happenings(),i=e>0?n.find(o=>o.us>t+.5):n.findLast(o=>o.us<t-.5);i!==void 0&&this.seek(i.us)}follow(e){this.#M({connection:e})}#M(e){this.#l.follow(e),this.#b(),this.#T()}#b(){let e=this.#h?.follow,{connection:t}=this.#l,n=t===void 0?"":String(t);e!==void 0&&e.value!==n&&(e.value=n)}#P(e){let{dots:t}=this.view;if(t.length===0)return;let n=t.findIndex(o=>this.#l.is(o)),i=n<0&&e<0?t.length-1:(n+e+t.length)%t.length;this.#M(t[i])}connectedCallback(){this.#d===void 0&&this.#B();let e=new IntersectionObserver(([o])=>{this.#L=o?.isIntersecting??!0,this.#f()});e.observe(this);let t=new ResizeObserver(()=>this.#T());t.observe(this.#d?.root);let n=new MutationObserver(()=>this.#T());n.observe(document.documentElement,{attributes:!0,attributeFilter:["class","style"]}),this.#p=[e,t,n],this.#x=new AbortController;let{signal:i}=this.#x;for(let o of["(prefers-color-scheme: dark)","(prefers-reduced-motion: reduce)"])matchMedia(o).addEventListener("change",()=>this.#T(),{signal:i});this.#f()}disconnectedCallback(){for(let e of this.#p)e.disconnect();this.#p=[],this.#x?.abort(),this.#D.stop(),cancelAnimationFrame(this.#u),this.#u=0}attributeChangedCallback(e,t,n){e==="src"&&n!==null&&this.#O(n),e==="names"&&(this.names=j(n)),e==="speed"&&n!==null&&Number(n)>0&&this.#e.setSpeed(Number(n)),e==="data-title"&&this.#V()}async#O(e){await this.#D.load(e,t=>{this.lines=t,this.hasAttribute("autoplay")&&!ve()&&this.play()},t=>this.#$(t))}#$(e){this.#m!==void 0&&y(this.#m,e)}#A(e=!1){if(this.#S(),this.#V(),this.#R(),!this.#a){this.#e.pause(),this.#e.seek(this.#e.range.fromUs);let t=Number(this.getAttribute("speed"));this.#e.setSpeed(t>0?t:this.#C())}e?this.#l.renew():this.follow(void 0),this.#T()}#C(){let{fromUs:e,toUs:t}=this.#e.range,n=(t-e)/1e6/kn;return H.find(i=>i>=n)??10}#R(){let e=this.#n;if(this.#r){this.#e.range={fromUs:e.fromUs,toUs:e.toUs};return}let t=e.happenings(),[n,i]=[t[0],t.at(-1)];if(n===void 0||i===void 0){this.#e.range={fromUs:e.fromUs,toUs:e.toUs};return}let o=Math.max(1e3,(i.us-n.us)*Tn);this.#e.range={fromUs:Math.max(0,n.us-o),toUs:i.us+o}}#S(){if(this.#s=new Map,this.#o.length===0)return;let e=this.#n.dots.filter(({connection:t})=>t!==void 0);for(let[t,{connection:n}]of e.slice(0,this.#o.length).entries())this.#s.set(n,this.#o[t])}#N(e){return this.#s.get(e)??\`#\${e}\`}#H({connection:e}){if(e===void 0)return"";let t=this.#s.get(e);return t!==void 0?t.slice(0,1).toUpperCase():e<1e3?String(e):""}get#w(){return xn*1e3*this.#e.speed}#T(){this.#d?.refresh(),this.#g=-1/0,this.#f()}#f(){this.#u!==0||this.#d===void 0||!this.isConnected||(this.#u=requestAnimationFrame(e=>this.#_(e)))}#_(e){this.#u=0;let t=this.#d;if(t===void 0)return;let n=ve(),i=Math.min(100,e-(this.#k??e));if(n&&this.#e.isPlaying&&e-(this.#k??-1/0)<Ln){this.#f();return}this.#k=e,this.#R();let o=this.#e.us,s=this.#a?this.#i.at(performance.now()):void 0;this.#e.advance(e,s);let{us:a}=this.#e,{view:d}=this;t.lingerUs=this.#w;let c=t.isLarge&&Math.abs(a-o)>1e6,l=t.show(d,i,n||c);(e-this.#g>=En||!this.#e.isPlaying)&&(this.#g=e,this.#z(d)),(this.#e.isPlaying&&this.#L||l)&&this.#f()}#B(){let e=this.attachShadow({mode:"open"});P(e,I,ee,je,Xe,Je);let t=new fe({nameOf:o=>this.#N(o),letterOf:o=>this.#H(o),followed:()=>this.#l.isSomebody?o=>this.#l.is(o):void 0});this.#d=t,t.canvas.addEventListener("click",o=>{let{x:s,y:a}=t.canvas.getBoundingClientRect(),d=t.hit({x:o.clientX-s,y:o.clientY-a});this.#M(d??{})}),this.#c=h("h2"),this.#E=h("p",{class:"sub"}),this.#m=h("p",{class:"now"}),this.#y=h("p",{class:"unseen",attributes:{"aria-live":"polite"}});let n=tt();this.#h=n,this.#W(n);let i=new ie(o=>this.#N(o),{onOpen:()=>this.#T(),onFollow:o=>this.#M(o)});this.#v=i,e.append(h("div",{class:"frame",attributes:{role:"group","aria-label":"A server and its connections"},children:[h("div",{class:"head",children:[this.#c,this.#E]}),t.root,n.root,this.#m,this.#l.root,nt(),i.root,this.#y]})),this.#V()}#W(e){let{play:t,live:n,slower:i,faster:o,back:s,step:a,time:d,follow:c}=e;t.addEventListener("click",()=>this.#e.isPlaying?this.pause():this.play()),n.addEventListener("click",()=>{this.#e.goLive(),this.#f()}),i.addEventListener("click",()=>this.#F(-1)),o.addEventListener("click",()=>this.#F(1)),s.addEventListener("click",()=>this.step(-1)),a.addEventListener("click",()=>this.step(1)),d.addEventListener("input",()=>{let{fromUs:l,toUs:f}=this.#e.range;this.#e.pause(),this.seek(l+Number(d.value)/Number(d.max)*(f-l))}),c.addEventListener("input",()=>{let l=Number(c.value);this.follow(c.value!==""&&Number.isInteger(l)?l:void 0)}),this.shadowRoot?.addEventListener("keydown",l=>this.#K(l))}#K(e){if(e.ctrlKey||e.metaKey||e.altKey)return;let{target:t}=e,n=t instanceof HTMLInputElement||t instanceof HTMLSelectElement,i=t instanceof HTMLButtonElement,{key:o}=e;if(o==="Escape")this.follow(void 0);else{if(n)return;if(o==="+")this.#F(1);else if(o==="-")this.#F(-1);else if(o===".")this.step(1);else if(o===",")this.step(-1);else if(o==="n")this.#P(1);else if(o==="p")this.#P(-1);else if(o==="k"||o===" "&&!i&&t===this.#h?.root)this.#e.isPlaying?this.pause():this.play();else return}e.preventDefault()}#F(e){this.#e.changeSpeed(e),this.#T()}#V(){if(this.#c===void 0||this.#E===void 0)return;let{header:e}=this.#n;y(this.#c,this.getAttribute("data-title")??e?.by??""),y(this.#E,e===void 0?"":\`\${e.by} · \${e.runtime}\`),this.#c.parentElement?.toggleAttribute("hidden",e===void 0&&this.#c.textContent==="")}#z(e){this.#G(e),this.#Y(e),this.#l.show(e,this.#n,this.#e.range.fromUs),this.#b(),this.#v?.show(e),this.#j(e)}#G({us:e}){let t=this.#h;if(t===void 0)return;let{isPlaying:n,isLive:i,speed:o,range:s}=this.#e;y(t.play,n?"Pause":this.#e.isAtEnd&&!this.#a?"Again":"Play"),t.live.hidden=!this.#a,y(t.live,i?"Live":"Go live"),t.live.setAttribute("aria-pressed",String(i)),y(t.speed,o>=1?\`\${o}×\`:\`1/\${Math.round(1/o)}×\`),t.slower.disabled=o<=H[0],t.faster.disabled=o>=H.at(-1);let a=Math.max(1,s.toUs-s.fromUs),{max:d}=t.time,c=String(Math.round((e-s.fromUs)/a*Number(d)));t.time.value!==c&&(t.time.value=c);let l=this.#a?i?"now":\`\${x(Math.max(0,s.toUs-e))} ago\`:\`\${x(Math.max(0,e-s.fromUs))} of \${x(a)}\`;y(t.moment,l),t.time.setAttribute("aria-valuetext",l)}#Y({us:e,note:t,leftOut:n,isPartial:i}){if(this.#a&&this.#e.isPlaying){if(!i)return this.#$(t??"");let s=n.get("connections")??0;return this.#$(\`Too many connections to draw each of them: \${k(s)} were left out so far.\`)}let o=this.#n.dots.length>Sn?void 0:this.#Q(e);this.#$(o===void 0?t??"":this.#q(o))}#Q(e){return this.#n.happenings().findLast(t=>t.us<=e+.5)}#q({text:e,connection:t}){let n=t===void 0?void 0:this.#s.get(t),i=n===void 0?e:e.replaceAll(\`#\${t}\`,n);return i.slice(0,1).toUpperCase()+i.slice(1)}#j({dots:e,totals:t}){let n=performance.now();if(this.#y===void 0||n-this.#U<Mn)return;let i=c=>e.filter(l=>l.place===c).length,o=i("thread"),s=i("accept queue")+i("hand-over queue"),a=Object.values(t.outcomes).reduce((c,l)=>c+l,0),d=\`\${o} served, \${s} waiting, \${a} over\`;d!==this.#I&&(this.#U=n,this.#I=d,y(this.#y,d))}};Q("model-figure",me);var Un={"three-clients":["Three clients","a long prime, an echo and a small prime"],"slow-client":["A slow client","it sends a byte at a time"],vanish:["A client that vanishes","it is gone without a word"],fifty:["Fifty at once","fifty clients connect at the same time"],burst:["A burst of 1,000","a thousand clients, as fast as they can"],"kill-worker":["Kill a worker","a thread or process of the server dies"]},On=250,ge=S("figure"),xt=[new C({title:"Connections a second",series:[{name:"",of:({rate:r})=>r}],format:qe,least:10}),new C({title:"Life of a connection",series:[{name:"p50",of:({p50_us:r})=>r},{name:"p99",of:({p99_us:r})=>r}],format:x,least:1e3}),new C({title:"CPU",series:[{name:"",of:({cpu:r})=>r}],format:r=>\`\${We(r)} of a core\`,least:1}),new C({title:"Memory",series:[{name:"",of:({memory_bytes:r})=>r}],format:Be,least:2**20,unit:2**20})],vt,pe=!1;P(document,I);S("charts").append(...xt.map(({root:r})=>r));setInterval(An,On);new Z({begins:Cn,lines:Rn,state:Nn});function S(r){return document.getElementById(r)}async function $n(){let r;try{r=await(await fetch("about")).json()}catch{return}let{mode:e,protocol:t,address:n,runtime:i,version:o,details:s=[],actions:a=[]}=r;y(S("name"),String(e??"Handshake")),document.title=\`\${String(e??"Handshake")}, live\`;let d=[t,n,...s,i,o&&\`version \${o}\`];y(S("about"),d.filter(c=>c!==void 0).map(String).join(" · ")),S("actions").hidden=a.length===0,S("buttons").replaceChildren(...a.map(c=>{let[l,f]=Un[c]??[String(c),""],u=h("button",{text:l,attributes:{type:"button",title:f}});return u.addEventListener("click",()=>{In(String(c),u)}),u}))}async function In(r,e){e.disabled=!0;try{let t=await fetch("do",{method:"POST",body:new URLSearchParams({action:r})}),n=(await t.text()).trim();y(S("answer"),n===""?\`The answer is \${t.status}.\`:n)}catch{y(S("answer"),"The server does not answer.")}finally{e.disabled=!pe,e.focus()}}function Cn(){$n()}function Rn(r){for(let e of r)e.type==="recording"&&(ge.startLive(e.began_us===vt),vt=e.began_us);ge.appendLines(r)}function Nn({kind:r,text:e,page:t}){let n=S("state");n.dataset.state=r,y(n,e),pe=r==="live"||r==="silent",pe||ge.stopLive();for(let o of S("buttons").querySelectorAll("button"))o.disabled=!pe;if(t===void 0||!Dn(t))return;let i=h("a",{text:"Its page",attributes:{href:t}});n.append(" ",i)}function Dn(r){return URL.canParse(r)&&new URL(r).protocol==="http:"}function Pn(r){return r.replaceAll("_"," ").replace(/[A-Z]/g,e=>\` \${e.toLowerCase()}\`)}function An(){if(document.hidden)return;let{us:r,scene:e}=ge,{figures:t}=e;for(let s of xt)s.show(t,r);let n=e.countersAt(r)??{},i=S("counters"),o=Object.keys(n);i.dataset.names!==o.join()&&(i.dataset.names=o.join(),i.replaceChildren(...o.map(s=>h("div",{children:[h("dt",{text:Pn(s)}),h("dd")]}))));for(let[s,a]of[...i.querySelectorAll("dd")].entries())y(a,k(n[o[s]]??0))}})();
;
    </script>
  </body>
</html>
`;
