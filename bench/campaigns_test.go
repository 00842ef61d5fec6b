package bench

import (
	"fmt"
	"testing"
)

// BenchmarkCampaigns measures whole campaigns, and beside them their floor: the
// same three workflows with activities that do nothing.
func BenchmarkCampaigns(b *testing.B) {
	report := reportCourses(fmt.Sprintf("Campaigns; replies delivered over %d connections", connections))
	small, large := sized(1000), sized(10_000)
	b.Run("floors-and-workflows-alone", func(b *testing.B) {
		s := startServers(b)
		remote := campaignFloor(s, "floor-remote", small, false)
		report.floor = &remote
		report.add(fmt.Sprintf("floor: %d contacts, 100 %% replies", small), remote, "")
		report.add(fmt.Sprintf("floor: %d, local activities", small), campaignFloor(s, "floor-local", small, true), "")
		provider := startProvider(b)
		r := startRelance(s, provider, func(environment map[string]string) { environment["SEND_AHEAD"] = "false" })
		report.add(fmt.Sprintf("%d contacts, 100 %% replies, through the workflows alone", small),
			runCourse(r, provider, 1, small, 1), "> 0.8 (1.3 with local activities)")
	})
	for _, contacts := range []int{small, large} {
		for _, percent := range []int{30, 100} {
			b.Run(fmt.Sprintf("%d-contacts-%d-percent", contacts, percent), func(b *testing.B) {
				s, provider := startServers(b), startProvider(b)
				c := runCourse(startRelance(s, provider), provider, 1, contacts, float64(percent)/100)
				report.add(fmt.Sprintf("%d contacts, %d %% replies", contacts, percent), c, "")
				c.reportMetrics(b)
			})
		}
	}
}

// BenchmarkThreeCampaigns measures three campaigns at once, which share what
// there is.
func BenchmarkThreeCampaigns(b *testing.B) {
	report := reportCourses("Three campaigns at once")
	s, provider := startServers(b), startProvider(b)
	contacts := sized(1000)
	c := runCourse(startRelance(s, provider), provider, 3, contacts, 1)
	report.add(fmt.Sprintf("3 times %d contacts, 100 %% replies", contacts), c, "")
	c.reportMetrics(b)
}

// BenchmarkScale measures whether a contact of a very large campaign costs more than
// one of a small campaign, and what memory the API's process and the worker take.
func BenchmarkScale(b *testing.B) {
	const title = "Scale: the quota lifted, 30 % replies"
	report := reportCourses(title)
	memory := results.add(title+": memory", "", "peak MB", "target")
	for _, contacts := range []int{sized(1000), sized(100_000)} {
		b.Run(fmt.Sprintf("%d-contacts", contacts), func(b *testing.B) {
			s, provider := startServers(b), startProvider(b)
			r := prepareRelance(s, provider)
			r.start("api")
			r.startWorker()
			c := runCourse(r, provider, 1, contacts, 0.3)
			report.add(fmt.Sprintf("%d contacts", contacts), c, "")
			for _, each := range []struct{ command, target string }{{"api", "< 150"}, {"worker", "< 500"}} {
				memory.add(fmt.Sprintf("%d contacts: relance %s", contacts, each.command),
					fmt.Sprint(peakMemoryOf("relance", each.command)>>20), each.target)
			}
			c.reportMetrics(b)
		})
	}
}

// courseReport shows courses in two sections, so that no line is too long.
type courseReport struct {
	speed, cost *section
	floor       *course // nil where there is none in this run
}

func reportCourses(title string) *courseReport {
	return &courseReport{
		speed: results.add(title,
			"", "Message 1/s", "of the floor", "Message 2/s", "of the floor", "target ratio", "finished/s", "Message 2: p50 ms", "p99 ms", "max ms"),
		cost: results.add(title+": what a contact costs",
			"", "CPU ms: PostgreSQL", "Temporal", "Relance", "load+provider", "sum of three", "CPU s elsewhere", "peak MB: Relance", "Temporal",
			"events", "bytes of history", "largest history"),
	}
}

func (c *courseReport) add(name string, of course, target string) {
	ratio := func(rate func(course) float64) string {
		if c.floor == nil {
			return "-"
		}
		return fmt.Sprintf("%.2f", rate(of)/rate(*c.floor))
	}
	answers := latencyCells(of.answers.summary(), 0)
	c.speed.add(name,
		fmt.Sprintf("%.1f", of.message1PerSecond()), ratio(course.message1PerSecond),
		fmt.Sprintf("%.1f", of.message2PerSecond()), ratio(course.message2PerSecond), target,
		fmt.Sprintf("%.1f", of.finishedPerSecond()), answers[0], answers[1], answers[2])

	perContact := func(programs ...string) string {
		var sum float64
		for _, program := range programs {
			sum += milliseconds(of.cpu[program])
		}
		return fmt.Sprintf("%.1f", sum/float64(of.contacts))
	}
	cells := []string{
		perContact("postgres"), perContact("temporal"), perContact("relance"), perContact(ourselves), perContact("postgres", "temporal", "relance"),
		fmt.Sprintf("%.1f", of.cpu[elsewhere].Seconds()),
	}
	if of.history.events > 0 {
		cells = append(cells,
			fmt.Sprint(of.memoryRelance>>20), fmt.Sprint(of.memoryTemporal>>20),
			fmt.Sprintf("%.1f", of.history.events), fmt.Sprintf("%.0f", of.history.bytes),
			fmt.Sprintf("%d events, %d kB", of.history.largest.events, of.history.largest.bytes>>10))
	}
	c.cost.add(name, cells...)
}

func (c course) reportMetrics(b *testing.B) {
	b.Helper()
	b.ReportMetric(c.message1PerSecond(), "message1/s")
	b.ReportMetric(c.message2PerSecond(), "message2/s")
	b.ReportMetric(milliseconds(c.answers.summary().p99), "p99-ms")
	b.ReportMetric(0, "ns/op")
}
