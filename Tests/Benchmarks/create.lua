-- Creates: POSTs the body in the file BENCH_BODY. The request is made once; nothing of Lua runs per request.
dofile(os.getenv("BENCH_LUA") .. "/report.lua")

local file = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
wrk.method = "POST"
wrk.body = file:read("*a")
file:close()
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("BENCH_KEY")
